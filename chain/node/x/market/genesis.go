package market

import (
	"encoding/json"
	"fmt"

	"cosmossdk.io/log"
	"cosmossdk.io/store"
	"cosmossdk.io/store/metrics"
	storetypes "cosmossdk.io/store/types"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"lode/x/market/border"
	"lode/x/market/types"
)

// Preset is a genesis with nobody in it, whose parameters governance may change.
func Preset(preset uint32) (*types.Genesis, error) {
	outcome := border.Preset(preset, authtypes.NewModuleAddress(govtypes.ModuleName))
	if err := outcome.Err(); err != nil {
		return nil, err
	}
	genesis := new(types.Genesis)
	return genesis, genesis.Unmarshal(outcome.Answer)
}

// DefaultGenesis is the library's.
func (AppModule) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	genesis, err := Preset(border.Standard)
	if err != nil {
		panic(err)
	}
	return cdc.MustMarshalJSON(genesis)
}

// ValidateGenesis fills a market in memory, and so says what a chain's first block would say.
func (AppModule) ValidateGenesis(cdc codec.JSONCodec, _ client.TxEncodingConfig, text json.RawMessage) error {
	genesis, err := read(cdc, text)
	if err != nil {
		return err
	}
	key := storetypes.NewKVStoreKey(Name)
	stores := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger(), metrics.NewNoOpMetrics())
	stores.MountStoreWithDB(key, storetypes.StoreTypeDB, nil)
	if err := stores.LoadLatestVersion(); err != nil {
		return err
	}
	ctx := sdk.Context{}.WithMultiStore(stores).WithEventManager(sdk.NewEventManager())
	return border.Genesis(host{ctx: ctx, keeper: Keeper{key: key}}, border.Block{}, genesis).Err()
}

// InitGenesis fills the market, as of the height before the first block.
func (m AppModule) InitGenesis(ctx sdk.Context, cdc codec.JSONCodec, text json.RawMessage) {
	genesis, err := read(cdc, text)
	if err != nil {
		panic(err)
	}
	for _, purse := range Purses {
		m.keeper.accounts.GetModuleAccount(ctx, purse)
	}
	before := place(ctx)
	before.Height = border.Before(ctx.BlockHeight())
	if err := border.Genesis(m.keeper.host(ctx), before, genesis).Err(); err != nil {
		panic(fmt.Sprintf("the market refuses its genesis: %s", err))
	}
	if err := m.keeper.audit(ctx); err != nil {
		panic(err)
	}
}

// audit asks whether each purse holds what the market's records owe. A chain's genesis gives coins to
// purses in x/bank, beside the records that say whose they are.
func (k Keeper) audit(ctx sdk.Context) error {
	told, err := k.Query(ctx, "/"+queries+"/Invariants", nil)
	if err != nil {
		return err
	}
	var owed types.AnswerInvariants
	if err := owed.Unmarshal(told); err != nil {
		return err
	}
	for _, owes := range owed.Invariants {
		held := k.bank.GetBalance(ctx, authtypes.NewModuleAddress(owes.Purse), owes.Denom).Amount.String()
		if held != owes.Owed {
			return fmt.Errorf("the market's records owe %s%s, but %s holds %s of them", owes.Owed, owes.Denom, owes.Purse, held)
		}
	}
	return nil
}

// ExportGenesis is what a market can go on with elsewhere: its sessions must be settled.
func (m AppModule) ExportGenesis(ctx sdk.Context, cdc codec.JSONCodec) json.RawMessage {
	outcome := border.Export(m.keeper.host(ctx), place(ctx))
	if err := outcome.Err(); err != nil {
		panic(fmt.Sprintf("the market cannot be exported: %s", err))
	}
	genesis := new(types.Genesis)
	if err := genesis.Unmarshal(outcome.Answer); err != nil {
		panic(err)
	}
	return cdc.MustMarshalJSON(genesis)
}

// read gives the library's form of a genesis in JSON.
func read(cdc codec.JSONCodec, text json.RawMessage) ([]byte, error) {
	genesis := new(types.Genesis)
	if err := cdc.UnmarshalJSON(text, genesis); err != nil {
		return nil, fmt.Errorf("the market's genesis: %w", err)
	}
	return genesis.Marshal()
}
