package app

import (
	storetypes "cosmossdk.io/store/types"
	upgradekeeper "cosmossdk.io/x/upgrade/keeper"
	"github.com/cosmos/ibc-go/v10/modules/apps/transfer"
	transferkeeper "github.com/cosmos/ibc-go/v10/modules/apps/transfer/keeper"
	transfertypes "github.com/cosmos/ibc-go/v10/modules/apps/transfer/types"
	ibc "github.com/cosmos/ibc-go/v10/modules/core"
	porttypes "github.com/cosmos/ibc-go/v10/modules/core/05-port/types"
	ibcante "github.com/cosmos/ibc-go/v10/modules/core/ante"
	ibcexported "github.com/cosmos/ibc-go/v10/modules/core/exported"
	ibckeeper "github.com/cosmos/ibc-go/v10/modules/core/keeper"
	tendermint "github.com/cosmos/ibc-go/v10/modules/light-clients/07-tendermint"

	"github.com/cosmos/cosmos-sdk/runtime"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
)

// addIBC wires ibc-go, which the chain's builder does not know, with transfers of coins and light
// clients of CometBFT chains.
func (a *App) addIBC(accounts authkeeper.AccountKeeper, bank bankkeeper.Keeper, upgrades *upgradekeeper.Keeper) error {
	core := storetypes.NewKVStoreKey(ibcexported.StoreKey)
	transfers := storetypes.NewKVStoreKey(transfertypes.StoreKey)
	if err := a.RegisterStores(core, transfers); err != nil {
		return err
	}
	authority := authtypes.NewModuleAddress(govtypes.ModuleName).String()
	keeper := ibckeeper.NewKeeper(a.codec, runtime.NewKVStoreService(core), nil, upgrades, authority)
	transferKeeper := transferkeeper.NewKeeper(
		a.codec, runtime.NewKVStoreService(transfers), nil, keeper.ChannelKeeper, keeper.ChannelKeeper,
		a.MsgServiceRouter(), accounts, bank, authority,
	)
	router := porttypes.NewRouter().AddRoute(transfertypes.ModuleName, transfer.NewIBCModule(transferKeeper))
	keeper.SetRouter(router)
	light := tendermint.NewLightClientModule(a.codec, keeper.ClientKeeper.GetStoreProvider())
	keeper.ClientKeeper.AddRoute(tendermint.ModuleName, &light)
	a.refuseRelaysOfOthers(keeper)
	return a.RegisterModules(ibc.NewAppModule(keeper), transfer.NewAppModule(transferKeeper), tendermint.NewAppModule(light))
}

// refuseRelaysOfOthers keeps a relayer from paying for packets that another one has relayed.
func (a *App) refuseRelaysOfOthers(keeper *ibckeeper.Keeper) {
	next, relays := a.AnteHandler(), ibcante.NewRedundantRelayDecorator(keeper)
	a.SetAnteHandler(func(ctx sdk.Context, tx sdk.Tx, simulate bool) (sdk.Context, error) {
		return relays.AnteHandle(ctx, tx, simulate, next)
	})
}

// IBCModules are what the command line needs to know of IBC: messages, queries and genesis.
func IBCModules() map[string]module.AppModuleBasic {
	return map[string]module.AppModuleBasic{
		ibcexported.ModuleName:   ibc.AppModule{},
		transfertypes.ModuleName: transfer.AppModule{},
		tendermint.ModuleName:    tendermint.AppModule{},
	}
}
