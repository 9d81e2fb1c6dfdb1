package market

import (
	"context"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"lode/x/market/types"
)

var _ govtypes.GovHooks = proposals{}

// proposals refuses, when it is submitted, a proposal whose messages the market would refuse: nobody
// needs to vote on parameters that cannot be. The market asks again when the vote has passed.
type proposals struct {
	keeper Keeper
	gov    *govkeeper.Keeper
}

// AfterProposalSubmission tries the market's messages of a proposal, and takes back what they did.
// The SDK joins the errors of hooks, so that the transaction's log has the library's words, but its
// result not the library's code.
func (p proposals) AfterProposalSubmission(ctx context.Context, id uint64) error {
	proposal, err := p.gov.Proposals.Get(ctx, id)
	if err != nil {
		return err
	}
	proposed, err := proposal.GetMsgs()
	if err != nil {
		return err
	}
	branch, _ := sdk.UnwrapSDKContext(ctx).CacheContext()
	for _, message := range proposed {
		update, ok := message.(*types.MsgUpdateParams)
		if !ok {
			continue
		}
		bytes, err := proto.Marshal(update)
		if err != nil {
			return err
		}
		if err := p.keeper.Execute(branch, sdk.MsgTypeURL(update), bytes); err != nil {
			return err
		}
	}
	return nil
}

func (proposals) AfterProposalDeposit(context.Context, uint64, sdk.AccAddress) error { return nil }
func (proposals) AfterProposalVote(context.Context, uint64, sdk.AccAddress) error    { return nil }
func (proposals) AfterProposalFailedMinDeposit(context.Context, uint64) error        { return nil }
func (proposals) AfterProposalVotingPeriodEnded(context.Context, uint64) error       { return nil }
