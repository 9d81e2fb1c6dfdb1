package app

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	markettypes "lode/x/market/types"
)

// votingPeriod is that of the SDK's own genesis, and a little more.
const votingPeriod = 49 * time.Hour

// propose submits new parameters of the market, with the deposit that lets the vote begin.
func (c *chain) propose(change func(*markettypes.Params)) (refused string) {
	c.t.Helper()
	params := c.params()
	change(params)
	update := &markettypes.MsgUpdateParams{Authority: authtypes.NewModuleAddress(govtypes.ModuleName).String(), Params: params}
	deposit := sdk.NewCoins(sdk.NewInt64Coin(Denom, 10_000_000))
	message, err := govv1.NewMsgSubmitProposal([]sdk.Msg{update}, deposit, address(rich).String(), "", "Parameters", "Other parameters", false)
	c.must(err)
	return c.block(c.time.Add(time.Second), c.signMessage(rich, message)).TxResults[0].Log
}

// vote is a yes of all power, and the end of the vote.
func (c *chain) vote(proposal uint64) govv1.ProposalStatus {
	c.t.Helper()
	message := govv1.NewMsgVote(address(rich), proposal, govv1.OptionYes, "")
	if result := c.block(c.time.Add(time.Second), c.signMessage(rich, message)).TxResults[0]; result.Code != 0 {
		c.t.Fatalf("the vote is refused: %s", result.Log)
	}
	c.block(c.time.Add(votingPeriod))
	var answer govv1.QueryProposalResponse
	c.ask("/cosmos.gov.v1.Query/Proposal", &govv1.QueryProposalRequest{ProposalId: proposal}, &answer)
	return answer.Proposal.Status
}

func (c *chain) params() *markettypes.Params {
	c.t.Helper()
	params := new(markettypes.Params)
	c.ask("/lode.market.v1.Query/Params", &markettypes.QueryParams{}, params)
	return params
}

func TestAVoteChangesTheMarketsParameters(t *testing.T) {
	chain := someChain(t)
	if refused := chain.propose(func(params *markettypes.Params) { params.Jail = 77 }); refused != "" {
		t.Fatalf("the proposal is refused: %s", refused)
	}
	if status := chain.vote(1); status != govv1.StatusPassed {
		t.Fatalf("the proposal is %s", status)
	}
	if jail := chain.params().Jail; jail != 77 {
		t.Fatalf("a jail is for %d blocks", jail)
	}
}

func TestAProposalThatTheMarketWouldRefuseIsRefusedWhenItIsSubmitted(t *testing.T) {
	chain := someChain(t)
	before := chain.params()
	for words, change := range map[string]func(*markettypes.Params){
		"the shares add up to": func(params *markettypes.Params) { params.Shares.Burn++ },
		"relay_max is":         func(params *markettypes.Params) { params.RelayMax = 1 << 40 },
		"session_length":       func(params *markettypes.Params) { params.SessionLength = 0 },
		"owner_cap":            func(params *markettypes.Params) { params.OwnerCap = "much" },
		"windows is missing":   func(params *markettypes.Params) { params.Windows = nil },
	} {
		if refused := chain.propose(change); !strings.Contains(refused, words) {
			t.Errorf("it is not said that %q, but %q", words, refused)
		}
	}
	var kept govv1.QueryProposalsResponse
	chain.ask("/cosmos.gov.v1.Query/Proposals", &govv1.QueryProposalsRequest{}, &kept)
	if len(kept.Proposals) != 0 || chain.params().String() != before.String() {
		t.Errorf("%d proposals are kept", len(kept.Proposals))
	}
}
