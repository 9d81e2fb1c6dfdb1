// Package beacon keeps the chain's seeds, one for each height, and the keys of the validators that
// they are made of. What a seed is, the library says; see package border.
//
//	height        h-1               h                    h+1
//	validators    ... precommit ──> prove(seed h-1) ───┐
//	seeds         seed h-1          seed h             └─> seed h+1 = next(seed h, outputs)
//
// A validator's output for height h+1 is made of the seed of h-1, the last that is certain while it
// signs h.
package beacon

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	storetypes "cosmossdk.io/store/types"
	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingkeeper "github.com/cosmos/cosmos-sdk/x/staking/keeper"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"lode/x/beacon/types"
	"lode/x/market/border"
)

// Name is the module's, and its store's.
const Name = "beacon"

// KeyDelay is in how many blocks a registered key takes effect: by then there are seeds that nobody
// knew when it was chosen.
const KeyDelay = 3

// Where things are in the store.
var (
	lastKey   = []byte{0x01}
	beforeKey = []byte{0x02}
	keysKey   = []byte{0x10}
)

// Keeper keeps seeds and keys.
type Keeper struct {
	key     *storetypes.KVStoreKey
	staking *stakingkeeper.Keeper
}

// Seed is the seed of the height that is executed, or of the last one.
func (k Keeper) Seed(ctx context.Context) ([border.SeedSize]byte, error) {
	last, err := k.Last(ctx)
	if err != nil {
		return [border.SeedSize]byte{}, err
	}
	return seedOf(last)
}

// Last is the last height's seed.
func (k Keeper) Last(ctx context.Context) (*types.Seed, error) {
	return k.seedAt(ctx, lastKey)
}

// Advance makes the seed of the block's height of those before it and the validators' outputs.
func (k Keeper) Advance(ctx sdk.Context, outputs [][border.OutputSize]byte) error {
	last, err := k.Last(ctx)
	if err != nil {
		return err
	}
	previous, err := seedOf(last)
	if err != nil {
		return err
	}
	seed, err := border.NextSeed(previous, outputs)
	if err != nil {
		return err
	}
	next := &types.Seed{Height: uint64(ctx.BlockHeight()), Seed: seed[:], Outputs: uint32(len(outputs))}
	return k.push(ctx, last, next)
}

// push keeps the last seed and the one before.
func (k Keeper) push(ctx context.Context, before, last *types.Seed) error {
	if err := k.write(ctx, beforeKey, before); err != nil {
		return err
	}
	return k.write(ctx, lastKey, last)
}

// SeedOf is a height's seed, of the last two.
func (k Keeper) SeedOf(ctx context.Context, height uint64) ([border.SeedSize]byte, error) {
	for _, key := range [][]byte{lastKey, beforeKey} {
		kept, err := k.seedAt(ctx, key)
		if err != nil {
			return [border.SeedSize]byte{}, err
		}
		if kept.Height == height {
			return seedOf(kept)
		}
	}
	return [border.SeedSize]byte{}, fmt.Errorf("the seed of height %d is not kept: only the last two are", height)
}

// Validators are those who make blocks, by their operators' addresses.
func (k Keeper) Validators(ctx context.Context) ([]border.Validator, error) {
	height := uint64(sdk.UnwrapSDKContext(ctx).BlockHeight())
	reduction := k.staking.PowerReduction(ctx)
	var validators []border.Validator
	err := k.staking.IterateBondedValidatorsByPower(ctx, func(_ int64, bonded stakingtypes.ValidatorI) bool {
		operator, err := k.staking.ValidatorAddressCodec().StringToBytes(bonded.GetOperator())
		if err != nil {
			return false
		}
		power := uint64(bonded.GetConsensusPower(reduction))
		validators = append(validators, border.Validator{Operator: operator, Power: power, VRFKey: k.keyFor(ctx, operator, height)})
		return false
	})
	slices.SortFunc(validators, func(a, b border.Validator) int { return bytes.Compare(a.Operator, b.Operator) })
	return validators, err
}

// TakesPart tells whether a key is one with which somebody takes part in the seed of a height.
func (k Keeper) TakesPart(ctx context.Context, key []byte, height uint64) (found bool, err error) {
	err = k.staking.IterateBondedValidatorsByPower(ctx, func(_ int64, bonded stakingtypes.ValidatorI) bool {
		operator, err := k.staking.ValidatorAddressCodec().StringToBytes(bonded.GetOperator())
		found = err == nil && bytes.Equal(k.keyFor(ctx, operator, height), key)
		return found
	})
	return found, err
}

// KeyOf is the key with which a consensus address takes part in the seed of a height; empty for none.
func (k Keeper) KeyOf(ctx context.Context, consensus sdk.ConsAddress, height uint64) ([]byte, error) {
	validator, err := k.staking.GetValidatorByConsAddr(ctx, consensus)
	if err != nil {
		return nil, err
	}
	operator, err := k.staking.ValidatorAddressCodec().StringToBytes(validator.GetOperator())
	if err != nil {
		return nil, err
	}
	return k.keyFor(ctx, operator, height), nil
}

// keyFor is the key with which an operator takes part in the seed of a height.
func (k Keeper) keyFor(ctx context.Context, operator []byte, height uint64) []byte {
	key, found := k.registered(ctx, operator)
	switch {
	case !found:
		return nil
	case key.NextFrom != 0 && height >= key.NextFrom:
		return key.Next
	default:
		return key.Key
	}
}

// register lets a key take effect in some blocks. One that is on its way must arrive first.
func (k Keeper) register(ctx sdk.Context, address string, operator, key []byte) error {
	now := uint64(ctx.BlockHeight())
	kept, _ := k.registered(ctx, operator)
	if kept.NextFrom > now {
		return types.ErrOnItsWay.Wrapf("the next one can be registered at height %d", kept.NextFrom)
	}
	return k.write(ctx, keyOf(operator), &types.Key{
		Operator: address,
		Key:      k.keyFor(ctx, operator, now),
		Next:     key,
		NextFrom: now + KeyDelay,
	})
}

func (k Keeper) registered(ctx context.Context, operator []byte) (types.Key, bool) {
	var key types.Key
	value := k.store(ctx).Get(keyOf(operator))
	if value == nil || proto.Unmarshal(value, &key) != nil {
		return types.Key{}, false
	}
	return key, true
}

func (k Keeper) seedAt(ctx context.Context, key []byte) (*types.Seed, error) {
	kept := new(types.Seed)
	value := k.store(ctx).Get(key)
	if value == nil {
		return nil, fmt.Errorf("the chain has no seed under %x: its genesis was not executed", key)
	}
	return kept, proto.Unmarshal(value, kept)
}

func (k Keeper) write(ctx context.Context, key []byte, record proto.Message) error {
	value, err := proto.Marshal(record)
	if err != nil {
		return err
	}
	k.store(ctx).Set(key, value)
	return nil
}

func (k Keeper) store(ctx context.Context) storetypes.KVStore {
	return sdk.UnwrapSDKContext(ctx).KVStore(k.key)
}

func keyOf(operator []byte) []byte {
	return append(slices.Clone(keysKey), operator...)
}

func seedOf(kept *types.Seed) (seed [border.SeedSize]byte, err error) {
	if len(kept.Seed) != len(seed) {
		return seed, fmt.Errorf("the seed of height %d has %d bytes, not %d", kept.Height, len(kept.Seed), len(seed))
	}
	return [border.SeedSize]byte(kept.Seed), nil
}
