package app

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	markettypes "lode/x/market/types"
)

// votingPeriod is that of the SDK's own genesis, and a little more.
const votingPeriod = 49 * time.Hour

// propose submits new parameters of the market, with the deposit that lets the vote begin.
func (c *chain) propose(change func(*markettypes.Params)) (refused string) {
	c.t.Helper()
	return c.proposeAll(c.update(change))
}

// governance is the account that proposals act for.
var governance = authtypes.NewModuleAddress(govtypes.ModuleName)

// update is the message for other parameters than those in force.
func (c *chain) update(change func(*markettypes.Params)) sdk.Msg {
	c.t.Helper()
	params := c.params()
	change(params)
	return &markettypes.MsgUpdateParams{Authority: governance.String(), Params: params}
}

func (c *chain) proposeAll(messages ...sdk.Msg) (refused string) {
	c.t.Helper()
	deposit := sdk.NewCoins(sdk.NewInt64Coin(Denom, 10_000_000))
	message, err := govv1.NewMsgSubmitProposal(messages, deposit, address(rich).String(), "", "Parameters", "Other parameters", false)
	c.must(err)
	return c.block(c.time.Add(time.Second), c.signMessage(rich, message)).TxResults[0].Log
}

// vote is a yes of all power to some proposals, and the end of the vote.
func (c *chain) vote(proposals ...uint64) (ended []*govv1.Proposal) {
	c.t.Helper()
	for _, proposal := range proposals {
		message := govv1.NewMsgVote(address(rich), proposal, govv1.OptionYes, "")
		if result := c.block(c.time.Add(time.Second), c.signMessage(rich, message)).TxResults[0]; result.Code != 0 {
			c.t.Fatalf("the vote is refused: %s", result.Log)
		}
	}
	c.block(c.time.Add(votingPeriod))
	for _, proposal := range proposals {
		var answer govv1.QueryProposalResponse
		c.ask("/cosmos.gov.v1.Query/Proposal", &govv1.QueryProposalRequest{ProposalId: proposal}, &answer)
		ended = append(ended, answer.Proposal)
	}
	return ended
}

// untilNextSession makes blocks until what was decided is in force.
func (c *chain) untilNextSession() {
	c.t.Helper()
	var clock markettypes.AnswerClock
	c.ask("/lode.market.v1.Query/Clock", &markettypes.QueryClock{}, &clock)
	for c.LastBlockHeight() < int64(clock.NextStart) {
		c.block(c.time.Add(time.Second))
	}
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
	if ended := chain.vote(1)[0]; ended.Status != govv1.StatusPassed {
		t.Fatalf("the proposal is %s", ended)
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

// Each of two proposals can be, but not both: the second's coins are gone when its turn comes. Nothing
// of it is done then, although its parameters alone are good, and the market goes on as the first says.
func TestAProposalThatCanNoLongerBeDoneLeavesNoTrace(t *testing.T) {
	chain := someChain(t)
	coins := func(amount int64) sdk.Coins { return sdk.NewCoins(sdk.NewInt64Coin(Denom, amount)) }
	give := banktypes.NewMsgSend(address(rich), governance, coins(1_000))
	if result := chain.block(chain.time.Add(time.Second), chain.signMessage(rich, give)).TxResults[0]; result.Code != 0 {
		t.Fatal(result.Log)
	}
	spend := banktypes.NewMsgSend(governance, address(rich), coins(700))
	for _, jail := range []uint64{77, 88} {
		update := chain.update(func(params *markettypes.Params) { params.Jail = jail })
		if refused := chain.proposeAll(update, spend); refused != "" {
			t.Fatalf("the proposal for %d is refused: %s", jail, refused)
		}
	}
	ended := chain.vote(1, 2)
	if ended[0].Status != govv1.StatusPassed || ended[1].Status != govv1.StatusFailed || !strings.Contains(ended[1].FailedReason, "insufficient funds") {
		t.Fatalf("the proposals are %s and %s: %s", ended[0].Status, ended[1].Status, ended[1].FailedReason)
	}
	chain.untilNextSession()
	if jail := chain.params().Jail; jail != 77 {
		t.Errorf("a jail is for %d blocks", jail)
	}
	if left := chain.held(governance); left != "300ulode" {
		t.Errorf("governance has %s", left)
	}
}

// A proposal carries all parameters, so that those of two proposals are never mixed to ones that nobody
// has checked: the last one is in force as it was voted on.
func TestParametersOfTwoProposalsAreNotMixed(t *testing.T) {
	chain := someChain(t)
	shorter := chain.update(func(params *markettypes.Params) { params.Unbonding = 53 })
	longer := chain.update(func(params *markettypes.Params) { params.Windows.Audit = 10 })
	for _, update := range []sdk.Msg{shorter, longer} {
		if refused := chain.proposeAll(update); refused != "" {
			t.Fatalf("a proposal is refused: %s", refused)
		}
	}
	both := chain.update(func(params *markettypes.Params) { params.Unbonding, params.Windows.Audit = 53, 10 })
	if refused := chain.proposeAll(both); !strings.Contains(refused, "unbonding must be longer") {
		t.Fatalf("both in one: %s", refused)
	}
	for _, ended := range chain.vote(1, 2) {
		if ended.Status != govv1.StatusPassed {
			t.Fatalf("the proposal is %s", ended)
		}
	}
	chain.untilNextSession()
	if got, want := chain.params(), longer.(*markettypes.MsgUpdateParams).Params; got.String() != want.String() {
		t.Errorf("in force are %s", got)
	}
}
