package app

import (
	"context"
	"testing"
	"time"

	"cosmossdk.io/store/rootmulti"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/merkle"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market"
	markettypes "lode/x/market/types"
)

// What a light client knows, a block's hash of the state, is enough to prove a record of the market.
func TestARecordIsProvenByTheHashOfTheState(t *testing.T) {
	chain := someChain(t)
	coin := sdk.NewInt64Coin(Denom, 5)
	deposit := &markettypes.MsgDeposit{App: address(rich).String(), Coin: &coin}
	chain.block(chain.time.Add(time.Second), chain.signMessage(rich, deposit))
	height, state := chain.LastBlockHeight(), chain.LastCommitID().Hash
	chain.block(chain.time.Add(time.Second))

	key := append([]byte{0x18}, address(rich)...)
	response, err := chain.Query(context.Background(), &abci.RequestQuery{
		Path: "/store/" + market.Name + "/key", Data: key, Height: height, Prove: true,
	})
	if err != nil || len(response.Value) == 0 {
		t.Fatalf("%+v, %v", response, err)
	}
	path := merkle.KeyPath{}.AppendKey([]byte(market.Name), merkle.KeyEncodingURL).AppendKey(key, merkle.KeyEncodingHex).String()
	proofs := rootmulti.DefaultProofRuntime()
	if err := proofs.VerifyValue(response.ProofOps, state, path, response.Value); err != nil {
		t.Fatal(err)
	}
	response.Value[0] ^= 1
	if proofs.VerifyValue(response.ProofOps, state, path, response.Value) == nil {
		t.Fatal("another record is proven too")
	}
}
