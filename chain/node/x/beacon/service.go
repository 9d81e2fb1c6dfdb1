package beacon

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/beacon/types"
	"lode/x/market/border"
)

var (
	_ types.MsgServer   = server{}
	_ types.QueryServer = server{}
)

// server answers messages and queries.
type server struct{ keeper Keeper }

// RegisterKey registers the key of a validator, on the word of the account behind it.
func (s server) RegisterKey(ctx context.Context, message *types.MsgRegisterKey) (*types.MsgRegisterKeyResponse, error) {
	operator, err := sdk.AccAddressFromBech32(message.Operator)
	if err != nil {
		return nil, err
	}
	if len(message.Key) != border.KeySize {
		return nil, types.ErrKeySize.Wrapf("these are %d", len(message.Key))
	}
	if _, err := s.keeper.staking.GetValidator(ctx, sdk.ValAddress(operator)); err != nil {
		return nil, types.ErrNoValidator.Wrap(message.Operator)
	}
	err = s.keeper.register(sdk.UnwrapSDKContext(ctx), message.Operator, operator, message.Key)
	return &types.MsgRegisterKeyResponse{}, err
}

// Seed answers the last height's seed.
func (s server) Seed(ctx context.Context, _ *types.QuerySeed) (*types.Seed, error) {
	return s.keeper.Last(ctx)
}

// Key answers a validator's key.
func (s server) Key(ctx context.Context, question *types.QueryKey) (*types.Key, error) {
	operator, err := sdk.AccAddressFromBech32(question.Operator)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	key, found := s.keeper.registered(ctx, operator)
	if !found {
		return nil, status.Errorf(codes.NotFound, "%s has registered no key", question.Operator)
	}
	return &key, nil
}
