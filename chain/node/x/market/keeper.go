// Package market is a shell: the market's rules live in a library, see package border. Here its
// calls get a store, a bank, a block and a place for events, and its answers become the SDK's.
package market

import (
	"context"

	"cosmossdk.io/log"
	storetypes "cosmossdk.io/store/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market/border"
)

const (
	// Name is the module's, and its store's.
	Name = "market"

	messages = "lode.market.v1.Msg"
	queries  = "lode.market.v1.Query"
)

// Purses are the module accounts in which the market keeps coins: those of the library.
var Purses = []string{"market/escrow", "market/stake", "market/audits", "market/treasury"}

// Accounts is what the market needs of x/auth.
type Accounts interface {
	GetModuleAccount(ctx context.Context, name string) sdk.ModuleAccountI
}

// Bank is what the market needs of x/bank.
type Bank interface {
	SendCoins(ctx context.Context, from, to sdk.AccAddress, coins sdk.Coins) error
	BurnCoins(ctx context.Context, module string, coins sdk.Coins) error
	GetBalance(ctx context.Context, account sdk.AccAddress, denom string) sdk.Coin
}

// Beacon tells seeds, and who makes blocks.
type Beacon interface {
	Seed(ctx context.Context) ([border.SeedSize]byte, error)
	Validators(ctx context.Context) ([]border.Validator, error)
}

// Keeper carries calls to the library.
type Keeper struct {
	key      *storetypes.KVStoreKey
	accounts Accounts
	bank     Bank
	beacon   Beacon
}

// NewKeeper makes the keeper of the market in the store of `key`.
func NewKeeper(key *storetypes.KVStoreKey, accounts Accounts, bank Bank, beacon Beacon) Keeper {
	return Keeper{key: key, accounts: accounts, bank: bank, beacon: beacon}
}

// Execute runs a message. Its gas is charged here, once, also after a refusal.
func (k Keeper) Execute(ctx sdk.Context, typeURL string, message []byte) error {
	block, err := k.block(ctx)
	if err != nil {
		return err
	}
	outcome := border.Execute(k.host(ctx), block, ctx.GasMeter().GasRemaining(), typeURL, message)
	ctx.GasMeter().ConsumeGas(outcome.Gas, "market")
	return refusal(outcome)
}

// Query answers a question, named by its gRPC path.
func (k Keeper) Query(ctx sdk.Context, path string, question []byte) ([]byte, error) {
	outcome := border.Query(k.host(ctx), place(ctx), ctx.GasMeter().GasRemaining(), path, question)
	ctx.GasMeter().ConsumeGas(outcome.Gas, "market")
	return outcome.Answer, refusal(outcome)
}

// BeginBlock lets the market begin its block.
func (k Keeper) BeginBlock(ctx context.Context) error {
	return k.hook(sdk.UnwrapSDKContext(ctx), border.BeginBlock)
}

// EndBlock lets the market end its block.
func (k Keeper) EndBlock(ctx context.Context) error {
	return k.hook(sdk.UnwrapSDKContext(ctx), border.EndBlock)
}

// hook runs one of the block's two ends. A fault in the library stops the market's work of this
// block, on every node alike, but not the chain: governance must be able to mend it.
func (k Keeper) hook(ctx sdk.Context, run func(border.Host, border.Block) border.Outcome) error {
	block, err := k.block(ctx)
	if err != nil {
		return err
	}
	branch, write := ctx.CacheContext()
	outcome := run(k.host(branch), block)
	if err := outcome.Err(); err != nil {
		k.logger(ctx).Error("the market's work of this block is left out", "height", block.Height, "err", err)
		ctx.EventManager().EmitEvent(sdk.NewEvent("lode_fault"))
		return nil
	}
	write()
	return nil
}

func (k Keeper) host(ctx sdk.Context) border.Host {
	// What the library asks of the bank is part of what it charges for.
	return host{ctx: ctx.WithGasMeter(storetypes.NewInfiniteGasMeter()), keeper: k}
}

// block is where the market stands, with the seed of this height.
func (k Keeper) block(ctx sdk.Context) (border.Block, error) {
	block := place(ctx)
	seed, err := k.beacon.Seed(ctx)
	block.Seed = seed
	return block, err
}

// place is where the market stands when nothing is drawn.
func place(ctx sdk.Context) border.Block {
	return border.Block{
		ChainID: ctx.ChainID(),
		Height:  uint64(ctx.BlockHeight()),
		Time:    uint64(max(ctx.BlockTime().UnixMilli(), 0)),
	}
}

func (k Keeper) logger(ctx sdk.Context) log.Logger {
	return ctx.Logger().With("module", "x/"+Name)
}
