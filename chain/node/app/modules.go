package app

import (
	"encoding/json"

	runtimev1 "cosmossdk.io/api/cosmos/app/runtime/v1alpha1"
	appv1 "cosmossdk.io/api/cosmos/app/v1alpha1"
	authv1 "cosmossdk.io/api/cosmos/auth/module/v1"
	authzv1 "cosmossdk.io/api/cosmos/authz/module/v1"
	bankv1 "cosmossdk.io/api/cosmos/bank/module/v1"
	consensusv1 "cosmossdk.io/api/cosmos/consensus/module/v1"
	distributionv1 "cosmossdk.io/api/cosmos/distribution/module/v1"
	evidencev1 "cosmossdk.io/api/cosmos/evidence/module/v1"
	feegrantv1 "cosmossdk.io/api/cosmos/feegrant/module/v1"
	genutilv1 "cosmossdk.io/api/cosmos/genutil/module/v1"
	govv1 "cosmossdk.io/api/cosmos/gov/module/v1"
	mintv1 "cosmossdk.io/api/cosmos/mint/module/v1"
	slashingv1 "cosmossdk.io/api/cosmos/slashing/module/v1"
	stakingv1 "cosmossdk.io/api/cosmos/staking/module/v1"
	txv1 "cosmossdk.io/api/cosmos/tx/config/v1"
	upgradev1 "cosmossdk.io/api/cosmos/upgrade/module/v1"
	"cosmossdk.io/depinject"
	"cosmossdk.io/depinject/appconfig"
	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	transfertypes "github.com/cosmos/ibc-go/v10/modules/apps/transfer/types"
	ibcexported "github.com/cosmos/ibc-go/v10/modules/core/exported"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	"github.com/cosmos/cosmos-sdk/x/gov"
	"github.com/cosmos/cosmos-sdk/x/mint"
	minttypes "github.com/cosmos/cosmos-sdk/x/mint/types"

	// Each registers itself with the builder.
	_ "cosmossdk.io/x/evidence"
	_ "cosmossdk.io/x/feegrant/module"
	_ "cosmossdk.io/x/upgrade"
	_ "github.com/cosmos/cosmos-sdk/x/auth"
	_ "github.com/cosmos/cosmos-sdk/x/auth/tx/config"
	_ "github.com/cosmos/cosmos-sdk/x/authz/module"
	_ "github.com/cosmos/cosmos-sdk/x/bank"
	_ "github.com/cosmos/cosmos-sdk/x/consensus"
	_ "github.com/cosmos/cosmos-sdk/x/distribution"
	_ "github.com/cosmos/cosmos-sdk/x/slashing"
	_ "github.com/cosmos/cosmos-sdk/x/staking"

	"lode/x/beacon"
	"lode/x/market"
)

// Config lists the chain's modules, and when each has its turn.
func Config() depinject.Config {
	return depinject.Configs(
		appconfig.Compose(&appv1.Config{Modules: modules()}),
		// These two need no configuration, so they have no protobuf message for one.
		depinject.ProvideInModule(beacon.Name, beacon.Provide),
		depinject.ProvideInModule(market.Name, market.Provide),
		depinject.Supply(map[string]module.AppModuleBasic{
			"genutil": genutil.NewAppModuleBasic(genutiltypes.DefaultMessageValidator),
			"gov":     gov.NewAppModuleBasic(nil),
			"mint":    mintsNothing{},
		}),
	)
}

func modules() []*appv1.ModuleConfig {
	return []*appv1.ModuleConfig{
		configured("runtime", turns()),
		configured("auth", &authv1.Module{Bech32Prefix: Prefix, ModuleAccountPermissions: moduleAccounts()}),
		configured("bank", &bankv1.Module{BlockedModuleAccountsOverride: blocked()}),
		configured("staking", &stakingv1.Module{Bech32PrefixValidator: Prefix + "valoper", Bech32PrefixConsensus: Prefix + "valcons"}),
		configured("slashing", &slashingv1.Module{}),
		configured("distribution", &distributionv1.Module{}),
		configured("gov", &govv1.Module{}),
		configured("upgrade", &upgradev1.Module{}),
		configured("evidence", &evidencev1.Module{}),
		configured("authz", &authzv1.Module{}),
		configured("feegrant", &feegrantv1.Module{}),
		configured("mint", &mintv1.Module{}),
		configured("genutil", &genutilv1.Module{}),
		configured("consensus", &consensusv1.Module{}),
		configured("tx", &txv1.Config{}),
	}
}

// turns says in which order modules work. The beacon's seed is made before all of them, see votes.
func turns() *runtimev1.Module {
	return &runtimev1.Module{
		AppName:       Name,
		PreBlockers:   []string{"upgrade", "auth"},
		BeginBlockers: []string{"mint", "distribution", "slashing", "evidence", "staking", ibcexported.ModuleName, "authz", market.Name},
		EndBlockers:   []string{"gov", "staking", "feegrant", market.Name},
		InitGenesis: []string{
			"auth", "bank", "distribution", "staking", "slashing", "gov", "mint", "genutil", "evidence", "authz",
			"feegrant", "upgrade", "consensus", ibcexported.ModuleName, transfertypes.ModuleName, beacon.Name, market.Name,
		},
		OverrideStoreKeys: []*runtimev1.StoreKeyConfig{{ModuleName: "auth", KvStoreKey: "acc"}},
	}
}

func moduleAccounts() []*authv1.ModuleAccountPermission {
	accounts := []*authv1.ModuleAccountPermission{
		{Account: "fee_collector"},
		{Account: "distribution"},
		{Account: "mint", Permissions: []string{"minter"}},
		{Account: "bonded_tokens_pool", Permissions: []string{"burner", "staking"}},
		{Account: "not_bonded_tokens_pool", Permissions: []string{"burner", "staking"}},
		{Account: "gov", Permissions: []string{"burner"}},
		{Account: transfertypes.ModuleName, Permissions: []string{"minter", "burner"}},
	}
	for _, purse := range market.Purses {
		accounts = append(accounts, &authv1.ModuleAccountPermission{Account: purse, Permissions: []string{"burner"}})
	}
	return accounts
}

// blocked are accounts that nobody can send coins to: what lies in a purse must be in the books.
func blocked() []string {
	names := []string{"fee_collector", "distribution", "mint", "bonded_tokens_pool", "not_bonded_tokens_pool", transfertypes.ModuleName}
	return append(names, market.Purses...)
}

func configured(name string, config proto.Message) *appv1.ModuleConfig {
	return &appv1.ModuleConfig{Name: name, Config: appconfig.WrapAny(config)}
}

// mintsNothing is x/mint with a genesis in which no coins are printed: they only move.
type mintsNothing struct{ mint.AppModuleBasic }

func (mintsNothing) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	genesis := minttypes.DefaultGenesisState()
	none := math.LegacyZeroDec()
	genesis.Minter.Inflation = none
	genesis.Params.InflationRateChange, genesis.Params.InflationMax, genesis.Params.InflationMin = none, none, none
	return cdc.MustMarshalJSON(genesis)
}
