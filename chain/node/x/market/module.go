package market

import (
	"context"

	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/depinject"
	storetypes "cosmossdk.io/store/types"
	"github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
	authkeeper "github.com/cosmos/cosmos-sdk/x/auth/keeper"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"lode/x/beacon"
	"lode/x/market/types"
	"lode/x/schema"
)

//go:generate go run -C ../.. ./codegen

var (
	_ module.AppModuleBasic      = AppModule{}
	_ module.HasGenesis          = AppModule{}
	_ module.HasConsensusVersion = AppModule{}
	_ appmodule.HasServices      = AppModule{}
	_ appmodule.HasBeginBlocker  = AppModule{}
	_ appmodule.HasEndBlocker    = AppModule{}
)

// version counts up when the store's form changes, with a migration from each to the next.
const version = 1

// AppModule is the market among the chain's modules.
type AppModule struct{ keeper Keeper }

// Parts are what the module is made of.
type Parts struct {
	depinject.In

	Key      *storetypes.KVStoreKey
	Accounts authkeeper.AccountKeeper
	Bank     bankkeeper.Keeper
	Beacon   beacon.Keeper
	Gov      *govkeeper.Keeper
}

// Provided is what the module gives to the chain's builder.
type Provided struct {
	depinject.Out

	Keeper Keeper
	Module appmodule.AppModule
	Hooks  govtypes.GovHooksWrapper
}

// Provide makes the module for the chain's builder.
func Provide(parts Parts) Provided {
	keeper := NewKeeper(parts.Key, parts.Accounts, parts.Bank, parts.Beacon)
	return Provided{
		Keeper: keeper,
		Module: AppModule{keeper: keeper},
		Hooks:  govtypes.GovHooksWrapper{GovHooks: proposals{keeper: keeper, gov: parts.Gov}},
	}
}

func (AppModule) IsOnePerModuleType()      {}
func (AppModule) IsAppModule()             {}
func (AppModule) Name() string             { return Name }
func (AppModule) ConsensusVersion() uint64 { return version }

// RegisterLegacyAminoCodec has nothing to register: wallets' amino JSON follows the schema's options.
func (AppModule) RegisterLegacyAminoCodec(*codec.LegacyAmino) {}

func (AppModule) RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	msgservice.RegisterMsgServiceDesc(registry, &types.Msg_serviceDesc)
}

func (m AppModule) RegisterServices(registrar grpc.ServiceRegistrar) error {
	registrar.RegisterService(service(messages, m.execute), m)
	registrar.RegisterService(service(queries, m.query), m)
	return nil
}

func (AppModule) RegisterGRPCGatewayRoutes(ctx client.Context, mux *runtime.ServeMux) {
	schema.RegisterRoutes(queries, ctx, mux)
}

func (m AppModule) BeginBlock(ctx context.Context) error { return m.keeper.BeginBlock(ctx) }
func (m AppModule) EndBlock(ctx context.Context) error   { return m.keeper.EndBlock(ctx) }

func (m AppModule) execute(ctx context.Context, method protoreflect.MethodDescriptor, message []byte) ([]byte, error) {
	typeURL := "/" + string(method.Input().FullName())
	return nil, m.keeper.Execute(sdk.UnwrapSDKContext(ctx), typeURL, message)
}

func (m AppModule) query(ctx context.Context, method protoreflect.MethodDescriptor, question []byte) ([]byte, error) {
	return m.keeper.Query(sdk.UnwrapSDKContext(ctx), schema.PathOf(method), question)
}
