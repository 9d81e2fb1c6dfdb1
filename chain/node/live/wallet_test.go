package live

import (
	"fmt"
	"strconv"

	"github.com/cometbft/cometbft/crypto/tmhash"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	cryptocodec "github.com/cosmos/cosmos-sdk/crypto/codec"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
)

// walletGas is enough for any transaction of a test, of which a block takes some.
const walletGas = 20_000_000

// wallet signs as a node's validator, quicker than the command line, and many transactions ahead of
// the chain.
type wallet struct {
	node             *node
	ring             keyring.Keyring
	address          string
	number, sequence uint64
	// gas is what each transaction may use.
	gas uint64
}

// wallet begins with the sequence that the chain tells.
func (n *node) wallet() *wallet {
	n.t.Helper()
	registry := codectypes.NewInterfaceRegistry()
	cryptocodec.RegisterInterfaces(registry)
	ring, err := keyring.New("loded", keyring.BackendTest, n.home, nil, codec.NewProtoCodec(registry))
	if err != nil {
		n.t.Fatal(err)
	}
	made := &wallet{node: n, ring: ring, address: n.account(), gas: walletGas}
	var told struct {
		Info struct {
			AccountNumber string `json:"account_number"`
			Sequence      string
		}
	}
	n.until("its account", func() bool {
		return n.get(3, "/cosmos/auth/v1beta1/account_info/"+made.address, &told) == nil
	})
	for _, field := range []struct {
		text string
		into *uint64
	}{{told.Info.AccountNumber, &made.number}, {told.Info.Sequence, &made.sequence}} {
		if *field.into, err = strconv.ParseUint(field.text, 10, 64); err != nil {
			n.t.Fatal(err)
		}
	}
	return made
}

// sign makes a transaction of messages.
func (w *wallet) sign(messages ...sdk.Msg) []byte {
	w.node.t.Helper()
	var packed []*codectypes.Any
	for _, message := range messages {
		one, err := codectypes.NewAnyWithValue(message)
		w.must(err)
		packed = append(packed, one)
	}
	body, err := (&txtypes.TxBody{Messages: packed}).Marshal()
	w.must(err)
	record, err := w.ring.Key("validator")
	w.must(err)
	single := &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}
	auth, err := (&txtypes.AuthInfo{
		SignerInfos: []*txtypes.SignerInfo{{PublicKey: record.PubKey, ModeInfo: &txtypes.ModeInfo{Sum: single}, Sequence: w.sequence}},
		Fee:         &txtypes.Fee{GasLimit: w.gas, Amount: sdk.NewCoins(sdk.NewInt64Coin("ulode", int64(w.gas)))},
	}).Marshal()
	w.must(err)
	document, err := (&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: auth, ChainId: chainID, AccountNumber: w.number}).Marshal()
	w.must(err)
	signature, _, err := w.ring.Sign("validator", document, signing.SignMode_SIGN_MODE_DIRECT)
	w.must(err)
	tx, err := (&txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth, Signatures: [][]byte{signature}}).Marshal()
	w.must(err)
	w.sequence++
	return tx
}

// hand gives a transaction to the wallet's node, which must take it into its mempool.
func (w *wallet) hand(messages ...sdk.Msg) (hash string) {
	w.node.t.Helper()
	tx := w.sign(messages...)
	var told struct {
		Result struct {
			Code uint32
			Log  string
		}
	}
	if err := w.node.get(1, fmt.Sprintf("/broadcast_tx_sync?tx=0x%x", tx), &told); err != nil || told.Result.Code != 0 {
		w.node.t.Fatalf("%s does not take a transaction: %+v, %v", w.node.home, told, err)
	}
	return fmt.Sprintf("%X", tmhash.Sum(tx))
}

// do hands in a transaction and waits until it was executed.
func (w *wallet) do(messages ...sdk.Msg) {
	w.node.t.Helper()
	w.node.made(w.hand(messages...))
}

func (w *wallet) must(err error) {
	w.node.t.Helper()
	if err != nil {
		w.node.t.Fatal(err)
	}
}
