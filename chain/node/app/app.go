// Package app is the chain: modules of the Cosmos SDK, the market and its beacon, wired together.
package app

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"

	"cosmossdk.io/depinject"
	"cosmossdk.io/log"
	upgradekeeper "cosmossdk.io/x/upgrade/keeper"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cast"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/runtime"
	"github.com/cosmos/cosmos-sdk/server/api"
	"github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	"github.com/cosmos/cosmos-sdk/x/staking"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"

	"lode/swagger"
	"lode/x/beacon"
	"lode/x/market"
)

const (
	// Name is the node's.
	Name = "loded"
	// Prefix begins every address.
	Prefix = "lode"
	// Denom is the coin that stakes, fees and escrow are made of.
	Denom = "ulode"
)

// Home is where a node keeps its files unless it is told otherwise.
func Home() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, "."+Name)
}

func init() {
	sdk.DefaultBondDenom = Denom
	config := sdk.GetConfig()
	config.SetBech32PrefixForAccount(Prefix, Prefix+sdk.PrefixPublic)
	config.SetBech32PrefixForValidator(Prefix+sdk.PrefixValidator+sdk.PrefixOperator, Prefix+sdk.PrefixValidator+sdk.PrefixOperator+sdk.PrefixPublic)
	config.SetBech32PrefixForConsensusNode(Prefix+sdk.PrefixValidator+sdk.PrefixConsensus, Prefix+sdk.PrefixValidator+sdk.PrefixConsensus+sdk.PrefixPublic)
	config.Seal()
}

// App is a node's application.
type App struct {
	*runtime.App

	codec   codec.Codec
	staking *stakingkeeper.Keeper
	beacon  beacon.Keeper
	market  market.Keeper
	// awake is whether a block was made since the start.
	awake atomic.Bool
}

var _ servertypes.Application = (*App)(nil)

// New builds the application over a database; loadLatest goes on where it ended.
func New(logger log.Logger, db dbm.DB, trace io.Writer, loadLatest bool, options servertypes.AppOptions, base ...func(*baseapp.BaseApp)) (*App, error) {
	app := new(App)
	var builder *runtime.AppBuilder
	wired := depinject.Configs(Config(), depinject.Supply(options, logger))
	var accounts authkeeper.AccountKeeper
	var bank bankkeeper.Keeper
	var upgrades *upgradekeeper.Keeper
	if err := depinject.Inject(wired, &builder, &app.codec, &accounts, &bank, &app.staking, &upgrades, &app.beacon, &app.market); err != nil {
		return nil, err
	}
	app.App = builder.Build(db, trace, base...)
	if err := app.addIBC(accounts, bank, upgrades); err != nil {
		return nil, err
	}
	app.refuseOtherEncodings()
	secret, err := readSecret(cast.ToString(options.Get(flags.FlagHome)), logger)
	if err != nil {
		return nil, err
	}
	lanes := newLanes()
	app.SetMempool(lanes)
	if err := app.prepareUpgrades(upgrades); err != nil {
		return nil, err
	}
	newVotes(app, lanes, secret).register()
	return app, app.Load(loadLatest)
}

// RegisterAPIRoutes serves the modules over REST and, where the node's operator wants it, the page that
// describes them.
func (a *App) RegisterAPIRoutes(server *api.Server, options config.APIConfig) {
	a.App.RegisterAPIRoutes(server, options)
	if !options.Swagger {
		return
	}
	if err := swagger.Register(server.Router); err != nil {
		a.Logger().Error("the page of REST routes is not served", "err", err)
	}
}

// Export writes the state as a genesis that another chain can begin with.
func (a *App) Export(modules []string) (servertypes.ExportedApp, error) {
	ctx := a.NewContextLegacy(true, cmtproto.Header{Height: a.LastBlockHeight(), ChainID: a.ChainID()})
	states, err := a.ModuleManager.ExportGenesisForModules(ctx, a.codec, modules)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	text, err := json.MarshalIndent(states, "", "  ")
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	validators, err := staking.WriteValidators(ctx, a.staking)
	return servertypes.ExportedApp{
		AppState:        text,
		Validators:      validators,
		Height:          a.LastBlockHeight() + 1,
		ConsensusParams: a.GetConsensusParams(ctx),
	}, err
}
