package market

import (
	"fmt"

	"cosmossdk.io/math"
	storetypes "cosmossdk.io/store/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market/border"
)

// host is the market's chain for the length of one call.
type host struct {
	ctx    sdk.Context
	keeper Keeper
}

// Store is taken from below the gas meter: the library counts.
func (h host) Store() storetypes.KVStore {
	return h.ctx.MultiStore().GetKVStore(h.keeper.key)
}

func (h host) Pay(from, to []byte, denom, amount string) bool {
	return h.moved("pay", denom, amount, func(coins sdk.Coins) error {
		return h.keeper.bank.SendCoins(h.ctx, from, to, coins)
	})
}

func (h host) Burn(purse, denom, amount string) bool {
	return h.moved("burn", denom, amount, func(coins sdk.Coins) error {
		return h.keeper.bank.BurnCoins(h.ctx, purse, coins)
	})
}

// moved does all of a movement or nothing of it. Whatever the bank's reason is not to move coins,
// the market is told that it could not.
func (h host) moved(what, denom, amount string, move func(sdk.Coins) error) bool {
	number, ok := math.NewIntFromString(amount)
	if !ok {
		panic(fmt.Sprintf("the market asks for %q %s, which is no amount", amount, denom))
	}
	branch, write := h.ctx.CacheContext()
	h.ctx = branch
	if err := move(sdk.Coins{{Denom: denom, Amount: number}}); err != nil {
		h.keeper.logger(branch).Debug("the bank refuses", "what", what, "coin", amount+denom, "err", err)
		return false
	}
	write()
	return true
}

func (h host) Emit(kind string, attributes []border.Attribute) {
	event := sdk.NewEvent(kind)
	for _, attribute := range attributes {
		event = event.AppendAttributes(sdk.NewAttribute(attribute.Name, attribute.Value))
	}
	h.ctx.EventManager().EmitEvent(event)
}

func (h host) Validators() []border.Validator {
	validators, err := h.keeper.beacon.Validators(h.ctx)
	if err != nil {
		panic(err)
	}
	return validators
}
