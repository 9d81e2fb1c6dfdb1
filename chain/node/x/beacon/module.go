package beacon

import (
	"encoding/json"
	"fmt"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"cosmossdk.io/core/appmodule"
	storetypes "cosmossdk.io/store/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"

	"lode/x/beacon/types"
	"lode/x/market/border"
	"lode/x/schema"
)

var (
	_ module.AppModuleBasic      = AppModule{}
	_ module.HasGenesis          = AppModule{}
	_ module.HasConsensusVersion = AppModule{}
	_ appmodule.HasServices      = AppModule{}
)

// queries is the name of the service that answers questions.
const queries = "lode.beacon.v1.Query"

// version counts up when the store's form changes, with a migration from each to the next.
const version = 1

// AppModule is the beacon among the chain's modules.
type AppModule struct{ keeper Keeper }

// Provide makes the module for the chain's builder.
func Provide(key *storetypes.KVStoreKey, staking *stakingkeeper.Keeper) (Keeper, appmodule.AppModule) {
	keeper := Keeper{key: key, staking: staking}
	return keeper, AppModule{keeper: keeper}
}

func (AppModule) IsOnePerModuleType()      {}
func (AppModule) IsAppModule()             {}
func (AppModule) Name() string             { return Name }
func (AppModule) ConsensusVersion() uint64 { return version }

// RegisterLegacyAminoCodec has nothing to register: wallets' amino JSON follows the schema's options.
func (AppModule) RegisterLegacyAminoCodec(*codec.LegacyAmino) {}

func (AppModule) RegisterGRPCGatewayRoutes(ctx client.Context, mux *runtime.ServeMux) {
	schema.RegisterRoutes(queries, ctx, mux)
}

func (AppModule) RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	msgservice.RegisterMsgServiceDesc(registry, &types.Msg_serviceDesc)
}

func (m AppModule) RegisterServices(registrar grpc.ServiceRegistrar) error {
	types.RegisterMsgServer(registrar, server{m.keeper})
	types.RegisterQueryServer(registrar, server{m.keeper})
	return nil
}

func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:           "lode.beacon.v1.Msg",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{withArgument("RegisterKey", "key")},
		},
		Query: &autocliv1.ServiceCommandDescriptor{
			Service:           queries,
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{withArgument("Key", "operator")},
		},
	}
}

func withArgument(method, field string) *autocliv1.RpcCommandOptions {
	argument := &autocliv1.PositionalArgDescriptor{ProtoField: field}
	return &autocliv1.RpcCommandOptions{RpcMethod: method, PositionalArgs: []*autocliv1.PositionalArgDescriptor{argument}}
}

// DefaultGenesis has no keys; the first seed is made of the chain's name.
func (AppModule) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	return cdc.MustMarshalJSON(&types.Genesis{})
}

func (AppModule) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, text json.RawMessage) error {
	var genesis types.Genesis
	if err := cdc.UnmarshalJSON(text, &genesis); err != nil {
		return fmt.Errorf("the beacon's genesis: %w", err)
	}
	for _, key := range genesis.Keys {
		for _, half := range [][]byte{key.Key, key.Next} {
			if len(half) != 0 && len(half) != border.KeySize {
				return types.ErrKeySize.Wrapf("%s has one of %d", key.Operator, len(half))
			}
		}
	}
	return nil
}

func (m AppModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, text json.RawMessage) {
	var genesis types.Genesis
	cdc.MustUnmarshalJSON(text, &genesis)
	if err := m.keeper.begin(ctx, &genesis); err != nil {
		panic(err)
	}
}

// begin fills an empty beacon. Heights may begin anew, so seeds are numbered by those of this chain.
func (k Keeper) begin(ctx sdk.Context, genesis *types.Genesis) error {
	before, last := genesis.Before, genesis.Last
	if last == nil || before == nil {
		seed, err := border.FirstSeed(ctx.ChainID())
		if err != nil {
			return err
		}
		last = &types.Seed{Seed: seed[:]}
		before = last
	}
	height := border.Before(ctx.BlockHeight())
	last = &types.Seed{Height: height, Seed: last.Seed, Outputs: last.Outputs}
	before = &types.Seed{Height: max(height, 1) - 1, Seed: before.Seed, Outputs: before.Outputs}
	for _, key := range genesis.Keys {
		operator, err := sdk.AccAddressFromBech32(key.Operator)
		if err != nil {
			return err
		}
		if err := k.write(ctx, keyOf(operator), key); err != nil {
			return err
		}
	}
	return k.push(ctx, before, last)
}

func (m AppModule) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	genesis, err := m.keeper.export(ctx)
	if err != nil {
		panic(err)
	}
	return cdc.MustMarshalJSON(genesis)
}

func (k Keeper) export(ctx sdk.Context) (*types.Genesis, error) {
	last, err := k.seedAt(ctx, lastKey)
	if err != nil {
		return nil, err
	}
	before, err := k.seedAt(ctx, beforeKey)
	if err != nil {
		return nil, err
	}
	genesis := &types.Genesis{Last: last, Before: before}
	kept := storetypes.KVStorePrefixIterator(k.store(ctx), keysKey)
	defer kept.Close()
	for ; kept.Valid(); kept.Next() {
		key := new(types.Key)
		if err := proto.Unmarshal(kept.Value(), key); err != nil {
			return nil, err
		}
		if key.NextFrom != 0 {
			// Who goes on elsewhere goes on with the newest key.
			key.Key, key.Next, key.NextFrom = key.Next, nil, 0
		}
		genesis.Keys = append(genesis.Keys, key)
	}
	return genesis, nil
}
