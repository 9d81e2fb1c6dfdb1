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
//	            ProcessProposal: refuse a block without it, or with one that does not hold
//	            PreBlock: make the seed, before any transaction
//
// A validator without a key, or whose proof is late, is left out of a seed. More than two thirds of
// the power must have signed, which the SDK checks; a proposer may choose which of those it takes.
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
	commit, err := request.LocalLastCommit.Marshal()
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

// check refuses a proposal whose extended commit is missing, not signed by enough, or forged.
func (v votes) check(ctx sdk.Context, request *abci.RequestProcessProposal) error {
	commit, err := extendedCommit(request.Txs)
	if err != nil {
		return err
	}
	again, err := commit.Marshal()
	if err != nil || !bytes.Equal(again, request.Txs[0]) {
		return errors.New("the extended commit is not in its one encoding")
	}
	if err := baseapp.ValidateVoteExtensions(ctx, v.app.staking, 0, "", commit); err != nil {
		return err
	}
	_, refused := v.outputs(ctx, uint64(request.Height), commit)
	return refused
}

// outputs are what a commit adds to the seed of a height, and why one of its votes adds nothing
// although it says something.
func (v votes) outputs(ctx sdk.Context, height uint64, commit abci.ExtendedCommitInfo) (outputs [][border.OutputSize]byte, refused error) {
	for _, vote := range commit.Votes {
		if vote.BlockIdFlag != cmtproto.BlockIDFlagCommit {
			continue
		}
		output, said, err := v.output(ctx, vote.Validator.Address, height, vote.VoteExtension)
		if err != nil {
			refused = fmt.Errorf("the extension of %s: %w", sdk.ConsAddress(vote.Validator.Address), err)
		}
		if said {
			outputs = append(outputs, output)
		}
	}
	return outputs, refused
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
		// Two thirds have accepted this block, so that all of its votes hold.
		outputs, _ = v.outputs(ctx, uint64(request.Height), commit)
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
