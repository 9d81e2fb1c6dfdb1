package app

import (
	"testing"
	"time"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"

	markettypes "lode/x/market/types"
)

// signBytes makes a transaction of a message whose bytes stay as they are, with the key beside the
// signature or without.
func (c *chain) signBytes(secret []byte, typeURL string, value []byte, withKey bool) []byte {
	c.t.Helper()
	key := secp256k1.PrivKey{Key: secret}
	account := c.accounts[address(secret).String()]
	var public *codectypes.Any
	if withKey {
		var err error
		public, err = codectypes.NewAnyWithValue(key.PubKey())
		c.must(err)
	}
	body, err := (&txtypes.TxBody{Messages: []*codectypes.Any{{TypeUrl: typeURL, Value: value}}}).Marshal()
	c.must(err)
	single := &txtypes.ModeInfo_Single_{Single: &txtypes.ModeInfo_Single{Mode: signing.SignMode_SIGN_MODE_DIRECT}}
	auth, err := (&txtypes.AuthInfo{
		SignerInfos: []*txtypes.SignerInfo{{PublicKey: public, ModeInfo: &txtypes.ModeInfo{Sum: single}, Sequence: account.sequence}},
		Fee:         &txtypes.Fee{GasLimit: gasLimit},
	}).Marshal()
	c.must(err)
	document, err := (&txtypes.SignDoc{BodyBytes: body, AuthInfoBytes: auth, ChainId: c.ChainID(), AccountNumber: account.number}).Marshal()
	c.must(err)
	signature, err := key.Sign(document)
	c.must(err)
	tx, err := (&txtypes.TxRaw{BodyBytes: body, AuthInfoBytes: auth, Signatures: [][]byte{signature}}).Marshal()
	c.must(err)
	return tx
}

func TestAMessageHasOneEncoding(t *testing.T) {
	coin := sdk.NewInt64Coin(Denom, 5)
	me := address(rich).String()
	deposit := &markettypes.MsgDeposit{App: me, Coin: &coin}
	app, err := (&markettypes.MsgDeposit{App: me}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	coins, err := (&markettypes.MsgDeposit{Coin: &coin}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for what, sent := range map[string]struct {
		value []byte
		code  uint32
	}{
		"the one form":        {append(append([]byte{}, app...), coins...), 0},
		"fields out of order": {append(append([]byte{}, coins...), app...), notCanonical},
		"a field twice":       {append(append(append([]byte{}, app...), app...), coins...), notCanonical},
	} {
		chain := someChain(t)
		tx := chain.signBytes(rich, sdk.MsgTypeURL(deposit), sent.value, true)
		result := chain.block(chain.time.Add(time.Second), tx).TxResults[0]
		if result.Code != sent.code || (sent.code != 0 && result.Codespace != "lode") {
			t.Errorf("%s: %s %d: %s", what, result.Codespace, result.Code, result.Log)
		}
	}
}
