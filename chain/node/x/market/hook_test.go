package market

import (
	"context"
	"testing"

	"cosmossdk.io/log"
	"cosmossdk.io/store"
	"cosmossdk.io/store/metrics"
	storetypes "cosmossdk.io/store/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market/border"
)

type noSeeds struct{}

func (noSeeds) Seed(context.Context) (seed [border.SeedSize]byte, err error) { return seed, nil }
func (noSeeds) Validators(context.Context) ([]border.Validator, error)       { return nil, nil }

// A fault in the library costs the market one block's work, and the chain nothing.
func TestAFaultInABlockLeavesNothingAndStopsNothing(t *testing.T) {
	key := storetypes.NewKVStoreKey(Name)
	stores := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger(), metrics.NewNoOpMetrics())
	stores.MountStoreWithDB(key, storetypes.StoreTypeIAVL, nil)
	if err := stores.LoadLatestVersion(); err != nil {
		t.Fatal(err)
	}
	ctx := sdk.NewContext(stores, cmtproto.Header{Height: 5}, false, log.NewNopLogger())
	keeper := Keeper{key: key, beacon: noSeeds{}}
	for code, kept := range map[uint32]bool{border.OK: true, border.Panicked: false, border.Malformed: false} {
		record := []byte{byte(code)}
		work := func(host border.Host, _ border.Block) border.Outcome {
			host.Store().Set(record, record)
			host.Emit("lode_work", nil)
			return border.Outcome{Code: code}
		}
		ctx := ctx.WithEventManager(sdk.NewEventManager())
		if err := keeper.hook(ctx, work); err != nil {
			t.Fatal(err)
		}
		events := ctx.EventManager().Events()
		told := map[bool]string{true: "lode_work", false: "lode_fault"}[kept]
		if len(events) != 1 || events[0].Type != told || ctx.KVStore(key).Has(record) != kept {
			t.Errorf("code %d: %v, %t", code, events, ctx.KVStore(key).Has(record))
		}
	}
}
