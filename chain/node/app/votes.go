package app

import (
	"bytes"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market/border"
)

// votes carries what validators' keys say of a seed from their precommits into the next block.
//
//	height h    ExtendVote: prove          VerifyVoteExtension: check each other's
//	height h+1  PrepareProposal: put the extended commit before all transactions
//	            ProcessProposal: refuse a block without it, or with one that was not signed
//	            PreBlock: make the seed, before any transaction
//
// A validator without a key, or whose proof is late, is left out of a seed. More than two thirds of
// the power must have signed, which the SDK checks; a proposer may choose which of those it takes.
//
// CometBFT takes precommits that come late, after a block has its two thirds, into the commit without
// VerifyVoteExtension. So what a commit says may be garbage although honest nodes hold it: garbage
// counts as nothing said. If it were refused, one validator could stop the chain.
type votes struct {
	app     *App
	secret  *[border.KeySize]byte
	lanes   *lanes
	process sdk.ProcessProposalHandler
}

func newVotes(app *App, lanes *lanes, secret *[border.KeySize]byte) votes {
	proposals := baseapp.NewDefaultProposalHandler(app.Mempool(), app.BaseApp)
	return votes{
		app:     app,
		secret:  secret,
		lanes:   lanes,
		process: proposals.ProcessProposalHandler(),
	}
}

func (v votes) register() {
	v.app.SetExtendVoteHandler(v.extend)
	v.app.SetVerifyVoteExtensionHandler(v.verify)
	v.app.SetPrepareProposal(v.prepareProposal)
	v.app.SetProcessProposal(v.processProposal)
	v.app.SetPreBlocker(v.preBlock)
}

// extend says what this validator's key says of the next height's seed. It says nothing without a
// key, or with one that nobody has registered: its votes would be refused, and count for the seed
// as little.
func (v votes) extend(ctx sdk.Context, request *abci.RequestExtendVote) (*abci.ResponseExtendVote, error) {
	if v.secret == nil {
		return &abci.ResponseExtendVote{}, nil
	}
	target := uint64(request.Height) + 1
	key, err := border.PublicKey(*v.secret)
	if err != nil {
		return nil, err
	}
	if known, err := v.app.beacon.TakesPart(ctx, key[:], target); err != nil || !known {
		return &abci.ResponseExtendVote{}, err
	}
	base, err := v.app.beacon.SeedOf(ctx, target-2)
	if err != nil {
		return nil, err
	}
	proof, err := border.Prove(*v.secret, base, target)
	return &abci.ResponseExtendVote{VoteExtension: proof[:]}, err
}

func (v votes) verify(ctx sdk.Context, request *abci.RequestVerifyVoteExtension) (*abci.ResponseVerifyVoteExtension, error) {
	target := uint64(request.Height) + 1
	_, _, err := v.output(ctx, request.ValidatorAddress, target, request.VoteExtension)
	if err != nil {
		v.app.Logger().Info("a vote's extension is refused", "validator", sdk.ConsAddress(request.ValidatorAddress), "err", err)
		return &abci.ResponseVerifyVoteExtension{Status: abci.ResponseVerifyVoteExtension_REJECT}, nil
	}
	return &abci.ResponseVerifyVoteExtension{Status: abci.ResponseVerifyVoteExtension_ACCEPT}, nil
}

// output is what a vote's extension adds to the seed of a height. Nothing is said by an empty one;
// anything else must be the proof of the validator's own key.
func (v votes) output(ctx sdk.Context, validator []byte, target uint64, proof []byte) (output [border.OutputSize]byte, said bool, err error) {
	if len(proof) == 0 {
		return output, false, nil
	}
	key, err := v.app.beacon.KeyOf(ctx, validator, target)
	if err != nil {
		return output, false, err
	}
	base, err := v.app.beacon.SeedOf(ctx, target-2)
	if err != nil {
		return output, false, err
	}
	output, err = border.Verify(key, base, target, proof)
	return output, err == nil, err
}

func (v votes) prepareProposal(ctx sdk.Context, request *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	if !extended(ctx, request.Height) {
		return v.pick(ctx, request)
	}
	if err := baseapp.ValidateVoteExtensions(ctx, v.app.staking, 0, "", request.LocalLastCommit); err != nil {
		return nil, err
	}
	proven := v.withoutGarbage(ctx, uint64(request.Height), request.LocalLastCommit)
	commit, err := proven.Marshal()
	if err != nil {
		return nil, err
	}
	request.MaxTxBytes -= int64(len(commit)) + framing
	response, err := v.pick(ctx, request)
	if err != nil {
		return nil, err
	}
	response.Txs = append([][]byte{commit}, response.Txs...)
	return response, nil
}

// framing are the bytes that a block spends on one transaction beside its own.
const framing = 8

func (v votes) processProposal(ctx sdk.Context, request *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if extended(ctx, request.Height) {
		if err := v.check(ctx, request); err != nil {
			v.app.Logger().Error("a proposal is refused", "height", request.Height, "err", err)
			return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
		}
		request.Txs = request.Txs[1:]
	}
	return v.process(ctx, request)
}

// check refuses a proposal whose extended commit is missing or not signed by enough.
func (v votes) check(ctx sdk.Context, request *abci.RequestProcessProposal) error {
	commit, err := extendedCommit(request.Txs)
	if err != nil {
		return err
	}
	again, err := commit.Marshal()
	if err != nil || !bytes.Equal(again, request.Txs[0]) {
		return errors.New("the extended commit is not in its one encoding")
	}
	return baseapp.ValidateVoteExtensions(ctx, v.app.staking, 0, "", commit)
}

// withoutGarbage leaves out the votes whose extensions add nothing although they say something: they
// may be large. What is left must still be signed by enough; otherwise all stay, and cost room only.
func (v votes) withoutGarbage(ctx sdk.Context, height uint64, commit abci.ExtendedCommitInfo) abci.ExtendedCommitInfo {
	proven := abci.ExtendedCommitInfo{Round: commit.Round}
	var kept, all int64
	for _, vote := range commit.Votes {
		all += vote.Validator.Power
		if vote.BlockIdFlag == cmtproto.BlockIDFlagCommit {
			if _, _, err := v.output(ctx, vote.Validator.Address, height, vote.VoteExtension); err == nil {
				kept += vote.Validator.Power
			} else {
				v.app.Logger().Info("a vote is left out", "validator", sdk.ConsAddress(vote.Validator.Address), "err", err)
				vote = abci.ExtendedVoteInfo{Validator: vote.Validator, BlockIdFlag: cmtproto.BlockIDFlagAbsent}
			}
		}
		proven.Votes = append(proven.Votes, vote)
	}
	if kept <= all*2/3 {
		return commit
	}
	return proven
}

// outputs are what a commit adds to the seed of a height.
func (v votes) outputs(ctx sdk.Context, height uint64, commit abci.ExtendedCommitInfo) (outputs [][border.OutputSize]byte) {
	for _, vote := range commit.Votes {
		if vote.BlockIdFlag != cmtproto.BlockIDFlagCommit {
			continue
		}
		if output, said, _ := v.output(ctx, vote.Validator.Address, height, vote.VoteExtension); said {
			outputs = append(outputs, output)
		}
	}
	return outputs
}

// preBlock makes the block's seed before anything else of the block reads it.
func (v votes) preBlock(ctx sdk.Context, request *abci.RequestFinalizeBlock) (*sdk.ResponsePreBlock, error) {
	response, err := v.app.PreBlocker(ctx, request)
	if err != nil {
		return nil, err
	}
	var outputs [][border.OutputSize]byte
	if extended(ctx, request.Height) {
		commit, err := extendedCommit(request.Txs)
		if err != nil {
			return nil, err
		}
		outputs = v.outputs(ctx, uint64(request.Height), commit)
	}
	return response, v.app.beacon.Advance(ctx, outputs)
}

// extended tells whether a block carries the extensions of the votes for the one before.
func extended(ctx sdk.Context, height int64) bool {
	params := ctx.ConsensusParams().Abci
	return params != nil && params.VoteExtensionsEnableHeight != 0 && height > params.VoteExtensionsEnableHeight
}

func extendedCommit(txs [][]byte) (commit abci.ExtendedCommitInfo, err error) {
	if len(txs) == 0 {
		return commit, fmt.Errorf("the block has no extended commit: it must be before all transactions")
	}
	if err := commit.Unmarshal(txs[0]); err != nil {
		return commit, fmt.Errorf("the block does not begin with an extended commit: %w", err)
	}
	return commit, nil
}
