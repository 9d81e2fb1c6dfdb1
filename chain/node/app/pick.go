package app

import (
	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
)

// gasTx is what tells how much gas a transaction may use.
type gasTx interface{ GetGas() uint64 }

// picked is a block as it fills.
type picked struct {
	txs   [][]byte
	taken map[sdk.Tx]bool
	bytes int64
	gas   uint64
}

// space is what a block has for transactions.
type space struct {
	bytes int64
	gas   uint64
}

// ofClaims is the part that claims and proofs take first: three quarters.
func (s space) ofClaims() space {
	return space{bytes: s.bytes / 4 * 3, gas: s.gas / 4 * 3}
}

// pick fills a proposal: claims and proofs first, up to their part of the block, then all others,
// then claims again with what is left. Transactions of one lane keep their order.
func (v votes) pick(ctx sdk.Context, request *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	whole := space{bytes: request.MaxTxBytes, gas: ^uint64(0)}
	if params := ctx.ConsensusParams().Block; params != nil && params.MaxGas > 0 {
		whole.gas = uint64(params.MaxGas)
	}
	block := picked{taken: map[sdk.Tx]bool{}}
	v.fill(&block, claims, whole.ofClaims())
	v.fill(&block, general, whole)
	v.fill(&block, claims, whole)
	return &abci.ResponsePrepareProposal{Txs: block.txs}, nil
}

// fill takes from a lane what has room. A transaction that the chain would not take now, because one
// of the same sender must come before it, waits.
func (v votes) fill(block *picked, from lane, space space) {
	for _, tx := range v.lanes.in(from) {
		limited, ok := tx.(gasTx)
		if !ok || block.taken[tx] {
			continue
		}
		gas := block.gas + limited.GetGas()
		if gas < block.gas || gas > space.gas {
			continue
		}
		encoded, err := v.app.TxEncode(tx)
		if err != nil {
			continue
		}
		bytes := block.bytes + int64(len(encoded)) + framing
		if bytes > space.bytes {
			continue
		}
		if _, err := v.app.PrepareProposalVerifyTx(tx); err != nil {
			continue
		}
		block.gas, block.bytes, block.taken[tx] = gas, bytes, true
		block.txs = append(block.txs, encoded)
	}
}
