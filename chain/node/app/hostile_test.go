package app

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"

	markettypes "lode/x/market/types"
)

// hostile are how many transactions each test makes.
const hostile = 400

// spoilt is a good transaction with some of it changed, cut off, repeated or nested.
func spoilt(dice *rand.Rand, good []byte) []byte {
	bad := bytes.Clone(good)
	for range 1 + dice.IntN(4) {
		at := dice.IntN(len(bad))
		switch dice.IntN(5) {
		case 0:
			bad[at] ^= byte(1 << dice.IntN(8))
		case 1:
			bad = bad[:at+1]
		case 2:
			bad = append(bad, bad[at:]...)
		case 3:
			bad = append([]byte{0x0a, byte(len(bad)), byte(len(bad) >> 7)}, bad...)
		default:
			bad = append(bad[:at:at], append(bytes.Repeat([]byte{0xff}, dice.IntN(40)), bad[at:]...)...)
		}
	}
	return bad
}

// Whatever bytes come as transactions or as the votes before them, the application answers, and the
// next good transaction is taken.
func TestHostileBytesCostTheChainNothing(t *testing.T) {
	chain := someChain(t)
	dice := rand.New(rand.NewPCG(7, 7))
	coin := sdk.NewInt64Coin(Denom, 5)
	deposit := &markettypes.MsgDeposit{App: address(rich).String(), Coin: &coin}
	good := chain.signMessage(rich, deposit)
	chain.accounts[address(rich).String()].sequence--
	height := chain.LastBlockHeight() + 1
	commit := chain.signed(height, chain.extension(height))
	votes, err := commit.Marshal()
	chain.must(err)
	var bad [][]byte
	for range hostile {
		tx := spoilt(dice, good)
		if bytes.Equal(tx, good) {
			continue
		}
		bad = append(bad, tx)
		response, err := chain.CheckTx(&abci.RequestCheckTx{Tx: tx})
		if err != nil || response.Code == 0 {
			t.Fatalf("%x: %+v, %v", tx, response, err)
		}
		if first := spoilt(dice, votes); !bytes.Equal(first, votes) && chain.accepts(first) {
			t.Errorf("a proposal with other bytes for the votes is accepted: %x", first)
		}
	}
	for i, result := range chain.block(chain.time.Add(time.Second), bad...).TxResults {
		if result.Code == 0 {
			t.Errorf("%x was taken", bad[i])
		}
	}
	if result := chain.block(chain.time.Add(time.Second), chain.signMessage(rich, deposit)).TxResults[0]; result.Code != 0 {
		t.Errorf("the good transaction is refused: %s", result.Log)
	}
}
