package beacon

import (
	"bytes"
	"errors"
	"testing"

	"cosmossdk.io/log"
	"cosmossdk.io/store"
	"cosmossdk.io/store/metrics"
	storetypes "cosmossdk.io/store/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	dbm "github.com/cosmos/cosmos-db"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/beacon/types"
	"lode/x/market/border"
)

const chainID = "lode-beacon"

// begun is a beacon before its chain's first block.
func begun(t *testing.T, genesis *types.Genesis) (Keeper, sdk.Context) {
	t.Helper()
	key := storetypes.NewKVStoreKey(Name)
	stores := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger(), metrics.NewNoOpMetrics())
	stores.MountStoreWithDB(key, storetypes.StoreTypeIAVL, nil)
	if err := stores.LoadLatestVersion(); err != nil {
		t.Fatal(err)
	}
	ctx := sdk.NewContext(stores, cmtproto.Header{ChainID: chainID}, false, log.NewNopLogger())
	keeper := Keeper{key: key}
	if err := keeper.begin(ctx, genesis); err != nil {
		t.Fatal(err)
	}
	return keeper, ctx
}

func TestASeedFollowsFromTheLastAndTheOutputs(t *testing.T) {
	keeper, ctx := begun(t, &types.Genesis{})
	want, err := border.FirstSeed(chainID)
	if err != nil {
		t.Fatal(err)
	}
	for height := int64(1); height < 5; height++ {
		outputs := make([][border.OutputSize]byte, height)
		if want, err = border.NextSeed(want, outputs); err != nil {
			t.Fatal(err)
		}
		if err := keeper.Advance(ctx.WithBlockHeight(height), outputs); err != nil {
			t.Fatal(err)
		}
		if got, err := keeper.SeedOf(ctx, uint64(height)); err != nil || got != want {
			t.Fatalf("height %d: %x, not %x, %v", height, got, want, err)
		}
	}
	for height, kept := range map[uint64]bool{2: false, 3: true, 4: true, 5: false} {
		if _, err := keeper.SeedOf(ctx, height); (err == nil) != kept {
			t.Errorf("height %d: %v", height, err)
		}
	}
}

func TestAKeyTakesEffectWhenSeedsHaveComeThatNobodyKnew(t *testing.T) {
	keeper, ctx := begun(t, &types.Genesis{})
	operator, one, two := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 32)
	register := func(height int64, key []byte) error {
		return keeper.register(ctx.WithBlockHeight(height), "lode1operator", operator, key)
	}
	for _, step := range []struct {
		height  int64
		key     []byte
		refused error
	}{{10, one, nil}, {11, two, types.ErrOnItsWay}, {12, two, types.ErrOnItsWay}, {13, two, nil}} {
		if err := register(step.height, step.key); !errors.Is(err, step.refused) {
			t.Fatalf("height %d: %v", step.height, err)
		}
	}
	for height, key := range map[uint64][]byte{13: one, 15: one, 16: two, 1_000: two} {
		if got := keeper.keyFor(ctx, operator, height); !bytes.Equal(got, key) {
			t.Errorf("height %d: %x, not %x", height, got, key)
		}
	}
}

func TestAChainGoesOnWithTheSeedsAndKeysOfAnother(t *testing.T) {
	keeper, ctx := begun(t, &types.Genesis{})
	if err := keeper.Advance(ctx.WithBlockHeight(1), nil); err != nil {
		t.Fatal(err)
	}
	operator, key := sdk.AccAddress(bytes.Repeat([]byte{1}, 20)), bytes.Repeat([]byte{2}, 32)
	if err := keeper.register(ctx.WithBlockHeight(9), operator.String(), operator, key); err != nil {
		t.Fatal(err)
	}
	exported, err := keeper.export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	other, ctx := begun(t, exported)
	again, err := other.export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Last.Seed, exported.Last.Seed) || !bytes.Equal(again.Before.Seed, exported.Before.Seed) {
		t.Errorf("seeds %s were %s", again, exported)
	}
	if got := other.keyFor(ctx, operator, 1); !bytes.Equal(got, key) {
		t.Errorf("the key is %x", got)
	}
	if again.Last.Height != 0 {
		t.Errorf("the last seed is of height %d, but no block was made", again.Last.Height)
	}
}
