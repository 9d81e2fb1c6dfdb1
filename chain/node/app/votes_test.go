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
	says := func(extension []byte) []byte {
		commit := chain.signed(height, extension)
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
		"a signed wrong proof":    says(other),
		"a signed proof cut off":  says(honest[1:]),
		"a signed proof and more": says(append(bytes.Clone(honest), 0)),
		"an unknown field":        append(says(honest), 0xf8, 0x01, 0x01),
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
