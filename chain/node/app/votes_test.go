package app

import (
	"bytes"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/protoio"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"lode/x/market/border"
)

// signed is the commit for the block before `height`, with the extension signed by the validator.
func (c *chain) signed(height int64, extension []byte) abci.ExtendedCommitInfo {
	c.t.Helper()
	canonical := cmtproto.CanonicalVoteExtension{Extension: extension, Height: height - 1, ChainId: c.ChainID()}
	text, err := protoio.MarshalDelimited(&canonical)
	c.must(err)
	signature, err := c.key.Sign(text)
	c.must(err)
	return abci.ExtendedCommitInfo{Votes: []abci.ExtendedVoteInfo{{
		Validator:          abci.Validator{Address: c.validator.Address, Power: c.validator.VotingPower},
		BlockIdFlag:        cmtproto.BlockIDFlagCommit,
		VoteExtension:      extension,
		ExtensionSignature: signature,
	}}}
}

func (c *chain) lastCommit() abci.CommitInfo {
	validator := abci.Validator{Address: c.validator.Address, Power: c.validator.VotingPower}
	return abci.CommitInfo{Votes: []abci.VoteInfo{{Validator: validator, BlockIdFlag: cmtproto.BlockIDFlagCommit}}}
}

// accepts tells whether the application votes for a block of these transactions.
func (c *chain) accepts(txs ...[]byte) bool {
	c.t.Helper()
	response, err := c.ProcessProposal(&abci.RequestProcessProposal{
		Height: c.LastBlockHeight() + 1, Txs: txs, Time: c.time, ProposedLastCommit: c.lastCommit(), ProposerAddress: c.validator.Address,
	})
	c.must(err)
	return response.IsAccepted()
}

func TestAProposalCarriesTheVotesAndIsAccepted(t *testing.T) {
	chain := someChain(t)
	height := chain.LastBlockHeight() + 1
	response, err := chain.PrepareProposal(&abci.RequestPrepareProposal{
		Height: height, MaxTxBytes: 1 << 20, Time: chain.time, LocalLastCommit: chain.signed(height, chain.extension(height)),
	})
	chain.must(err)
	if len(response.Txs) != 1 || !chain.accepts(response.Txs...) {
		t.Fatalf("a proposal of %d transactions is refused", len(response.Txs))
	}
}

func TestAProposalThatForgesOrDropsVotesIsRefused(t *testing.T) {
	chain := someChain(t)
	height := chain.LastBlockHeight() + 1
	honest := chain.extension(height)
	with := func(change func(*abci.ExtendedVoteInfo)) []byte {
		commit := chain.signed(height, honest)
		change(&commit.Votes[0])
		text, err := commit.Marshal()
		chain.must(err)
		return text
	}
	other := bytes.Clone(honest)
	other[0] ^= 1
	refused := map[string][]byte{
		"no commit":               []byte("a transaction"),
		"an empty commit":         {},
		"a dropped vote":          with(func(vote *abci.ExtendedVoteInfo) { vote.BlockIdFlag = cmtproto.BlockIDFlagAbsent }),
		"a changed extension":     with(func(vote *abci.ExtendedVoteInfo) { vote.VoteExtension = other }),
		"a signature of nobody":   with(func(vote *abci.ExtendedVoteInfo) { vote.ExtensionSignature = make([]byte, 64) }),
		"an unknown field":        append(with(func(*abci.ExtendedVoteInfo) {}), 0xf8, 0x01, 0x01),
		"a vote of somebody else": with(func(vote *abci.ExtendedVoteInfo) { vote.Validator.Address = make([]byte, 20) }),
	}
	for what, first := range refused {
		if chain.accepts(first) {
			t.Errorf("%s is accepted", what)
		}
	}
	if chain.accepts() {
		t.Error("a block without anything is accepted")
	}
	if !chain.accepts(with(func(*abci.ExtendedVoteInfo) {})) {
		t.Error("the honest commit is refused")
	}
}

// CometBFT lets such votes into honest nodes' commits when they come late.
func TestGarbageThatAValidatorSignedCountsAsNothing(t *testing.T) {
	for what, spoil := range map[string]func(proof []byte) []byte{
		"a wrong proof":    func(proof []byte) []byte { return append([]byte{proof[0] ^ 1}, proof[1:]...) },
		"a proof cut off":  func(proof []byte) []byte { return proof[1:] },
		"a proof and more": func(proof []byte) []byte { return append(proof, 0) },
		"much":             func([]byte) []byte { return make([]byte, 1<<20) },
	} {
		chain := someChain(t)
		height := chain.LastBlockHeight() + 1
		garbage := spoil(chain.extension(height))
		commit := chain.signed(height, garbage)
		first, err := commit.Marshal()
		chain.must(err)
		if !chain.accepts(first) {
			t.Errorf("%s: the block is refused", what)
		}
		_, err = chain.FinalizeBlock(&abci.RequestFinalizeBlock{
			Height: height, Time: chain.time, Txs: [][]byte{first}, ProposerAddress: chain.validator.Address,
		})
		chain.must(err)
		_, err = chain.Commit()
		chain.must(err)
		if seed, err := chain.App.beacon.Last(chain.ctx()); err != nil || seed.Height != uint64(height) || seed.Outputs != 0 {
			t.Errorf("%s: the seed is %+v, %v", what, seed, err)
		}
	}
}

func TestAProposerLeavesGarbageOutWhereEnoughIsLeft(t *testing.T) {
	chain := someChain(t)
	height := chain.LastBlockHeight() + 1
	honest := chain.signed(height, chain.extension(height)).Votes[0]
	liar := chain.signed(height, []byte("garbage")).Votes[0]
	for powers, leftOut := range map[[2]int64]bool{{3, 1}: true, {2, 1}: false, {1, 3}: false} {
		honest.Validator.Power, liar.Validator.Power = powers[0], powers[1]
		commit := abci.ExtendedCommitInfo{Round: 2, Votes: []abci.ExtendedVoteInfo{liar, honest}}
		proven := votes{app: chain.App}.withoutGarbage(chain.ctx(), uint64(height), commit)
		if proven.Round != 2 || len(proven.Votes) != 2 || proven.Votes[1].VoteExtension == nil {
			t.Errorf("of %v: %+v", powers, proven)
		}
		if absent := proven.Votes[0].BlockIdFlag == cmtproto.BlockIDFlagAbsent; absent != leftOut || (absent && len(proven.Votes[0].VoteExtension) > 0) {
			t.Errorf("of %v: %+v", powers, proven.Votes[0])
		}
	}
}

func TestAVotesExtensionIsTheProofOfItsValidatorsKeyOrNothing(t *testing.T) {
	chain := someChain(t)
	height := chain.LastBlockHeight() + 1
	// What is said while `height` is signed goes into the seed after it.
	base, err := chain.App.beacon.SeedOf(chain.ctx(), uint64(height)-1)
	chain.must(err)
	prove := func(secret [border.KeySize]byte, target uint64) []byte {
		proof, err := border.Prove(secret, base, target)
		chain.must(err)
		return proof[:]
	}
	target := uint64(height) + 1
	for what, vote := range map[string]struct {
		extension []byte
		accepted  bool
	}{
		"its own proof":          {prove(chain.beacon, target), true},
		"nothing":                {nil, true},
		"another key's proof":    {prove([border.KeySize]byte{8}, target), false},
		"a proof for later":      {prove(chain.beacon, target+1), false},
		"garbage of its size":    {make([]byte, border.ProofSize), false},
		"garbage of much a size": {make([]byte, 1<<20), false},
	} {
		response, err := chain.VerifyVoteExtension(&abci.RequestVerifyVoteExtension{
			Height: height, ValidatorAddress: chain.validator.Address, VoteExtension: vote.extension,
		})
		chain.must(err)
		if response.IsAccepted() != vote.accepted {
			t.Errorf("%s: accepted is %t", what, response.IsAccepted())
		}
	}
}
