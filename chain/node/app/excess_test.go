package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"google.golang.org/protobuf/encoding/protowire"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/x/authz"

	markettypes "lode/x/market/types"
)

// nestings is how deep messages lie in each other: a transaction of CometBFT's greatest size has room
// for some thousands.
const nestings = 2_000

// nested is a message in as many authorised executions.
func (c *chain) nested(message sdk.Msg, times int) (typeURL string, value []byte) {
	c.t.Helper()
	value, err := c.codec.Marshal(message)
	c.must(err)
	typeURL = sdk.MsgTypeURL(message)
	for range times {
		exec := authz.MsgExec{Grantee: address(rich).String(), Msgs: []*codectypes.Any{{TypeUrl: typeURL, Value: value}}}
		value, err = exec.Marshal()
		c.must(err)
		typeURL = sdk.MsgTypeURL(&exec)
	}
	return typeURL, value
}

// Too deep, too many, too large, unknown or written in another way: each such transaction is refused
// before and in a block, and costs the chain nothing else.
func TestWhatIsTooMuchOrWrittenInAnotherWayIsRefused(t *testing.T) {
	chain := someChain(t)
	coin := sdk.NewInt64Coin(Denom, 5)
	deposit := &markettypes.MsgDeposit{App: address(rich).String(), Coin: &coin}
	url := sdk.MsgTypeURL(deposit)
	value, err := deposit.Marshal()
	chain.must(err)
	unknown := protowire.AppendBytes(protowire.AppendTag(bytes.Clone(value), 77, protowire.BytesType), []byte("more"))
	execURL, deep := chain.nested(deposit, nestings)
	var inner authz.MsgExec
	inner.Grantee, inner.Msgs = address(rich).String(), []*codectypes.Any{{TypeUrl: url, Value: unknown}}
	hidden, err := inner.Marshal()
	chain.must(err)
	many := &markettypes.MsgSubmitClaims{Operator: address(rich).String()}
	for range 5_000 {
		many.Claims = append(many.Claims, &markettypes.ClaimRoot{SessionId: make([]byte, 32), Root: make([]byte, 32), Sum: 1, Count: 1})
	}
	claims, err := many.Marshal()
	chain.must(err)
	good := chain.signBytes(rich, url, value, true)
	var raw txtypes.TxRaw
	chain.must(raw.Unmarshal(good))

	// In one order: a state depends on what came before it.
	for _, sent := range []struct {
		what  string
		tx    []byte
		words string
	}{
		{"executions in executions", chain.signBytes(rich, execURL, deep, true), ""},
		{"groups in groups", bytes.Repeat([]byte{0x0b}, 1<<20), ""},
		{"a type of nobody", chain.signBytes(rich, "/lode.market.v1.MsgNothing", value, true), "tx parse error"},
		{"a field of nobody", chain.signBytes(rich, url, unknown, true), "tx parse error"},
		{"a hidden field of nobody", chain.signBytes(rich, execURL, hidden, true), "tx parse error"},
		{"claims without end", chain.signBytes(rich, sdk.MsgTypeURL(many), claims, true), "256"},
		{"a message without end", chain.signBytes(rich, url, make([]byte, 4<<20), true), ""},
		{"fields of the tx out of turn", outOfTurn(raw), ""},
		{"a length in more octets", padded(good), ""},
		{"nothing", nil, ""},
	} {
		checked, err := chain.CheckTx(&abci.RequestCheckTx{Tx: sent.tx})
		chain.must(err)
		made := chain.block(chain.time.Add(time.Second), sent.tx).TxResults[0]
		// A message is executed in a block only; before, its transaction is checked.
		if made.Code == 0 || (checked.Code == 0 && !strings.Contains(sent.what, "claims")) {
			t.Errorf("%s: %d before a block, %d in one", sent.what, checked.Code, made.Code)
		}
		if !strings.Contains(made.Log, sent.words) {
			t.Errorf("%s: %.300s", sent.what, made.Log)
		}
	}
	// The claims were a good transaction of a refused message: it used a number.
	chain.accounts[address(rich).String()].sequence++
	if result := chain.block(chain.time.Add(time.Second), chain.signMessage(rich, deposit)).TxResults[0]; result.Code != 0 {
		t.Errorf("the good transaction is refused: %s", result.Log)
	}
}

// outOfTurn has the signature before what is signed.
func outOfTurn(raw txtypes.TxRaw) (tx []byte) {
	tx = protowire.AppendBytes(protowire.AppendTag(tx, 3, protowire.BytesType), raw.Signatures[0])
	tx = protowire.AppendBytes(protowire.AppendTag(tx, 1, protowire.BytesType), raw.BodyBytes)
	return protowire.AppendBytes(protowire.AppendTag(tx, 2, protowire.BytesType), raw.AuthInfoBytes)
}

// padded writes the first length in one octet more than it needs.
func padded(tx []byte) []byte {
	length, octets := protowire.ConsumeVarint(tx[1:])
	long := protowire.AppendVarint(nil, length)
	long[len(long)-1] |= 0x80
	long = append(long, 0)
	return append(append([]byte{tx[0]}, long...), tx[1+octets:]...)
}
