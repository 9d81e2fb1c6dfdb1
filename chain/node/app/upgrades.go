package app

import (
	"context"
	"fmt"
	"strings"

	storetypes "cosmossdk.io/store/types"
	upgradekeeper "cosmossdk.io/x/upgrade/keeper"
	upgradetypes "cosmossdk.io/x/upgrade/types"

	"github.com/cosmos/cosmos-sdk/types/module"
)

// upgrade is a change that all nodes make at one height, voted on under its name. Modules that count
// up their version bring the migrations.
type upgrade struct {
	name string
	// stores are those that begin or end with it.
	stores storetypes.StoreUpgrades
}

// upgrades are those that this node can make, the newest last.
var upgrades = []upgrade{}

// More names upgrades without stores of their own, with commas between. A build sets it to try an
// upgrade before there is one.
var More string

func planned() []upgrade {
	plans := upgrades
	for _, name := range strings.FieldsFunc(More, func(letter rune) bool { return letter == ',' }) {
		plans = append(plans[:len(plans):len(plans)], upgrade{name: name})
	}
	return plans
}

// prepareUpgrades says how each upgrade is made, and opens the stores of the one that is due.
func (a *App) prepareUpgrades(keeper *upgradekeeper.Keeper) error {
	due, err := keeper.ReadUpgradeInfoFromDisk()
	if err != nil {
		return fmt.Errorf("what is known of an upgrade that is due: %w", err)
	}
	for _, plan := range planned() {
		keeper.SetUpgradeHandler(plan.name, a.migrate)
		if plan.name == due.Name && !keeper.IsSkipHeight(due.Height) {
			a.SetStoreLoader(upgradetypes.UpgradeStoreLoader(due.Height, &plan.stores))
		}
	}
	return nil
}

func (a *App) migrate(ctx context.Context, _ upgradetypes.Plan, from module.VersionMap) (module.VersionMap, error) {
	return a.ModuleManager.RunMigrations(ctx, a.Configurator(), from)
}
