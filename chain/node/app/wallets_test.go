package app

import (
	"bufio"
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/cosmos/cosmos-sdk/crypto/hd"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market"
	"lode/x/market/border"
)

// signedByCosmJS are transactions that the embedded engine takes too: of the words below, account
// number 0, sequence 0, in both ways to sign.
const signedByCosmJS = "../../solo/tests/solo/cosmjs.txt"

const words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

func TestWhatCosmJSSignsIsTaken(t *testing.T) {
	file, err := os.Open(signedByCosmJS)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	secret, err := hd.Secp256k1.Derive()(words, "", sdk.FullFundraiserPath)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for lines := bufio.NewScanner(file); lines.Scan(); count++ {
		name, text, _ := strings.Cut(lines.Text(), " ")
		tx, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		response, err := walletChain(t, secret).CheckTx(&abci.RequestCheckTx{Tx: tx})
		if err != nil || response.Code != 0 {
			t.Errorf("%s is not taken: %+v, %v", name, response, err)
		}
	}
	if count != 6 {
		t.Errorf("%d transactions, not 6", count)
	}
}

func walletChain(t *testing.T, secret []byte) *chain {
	t.Helper()
	genesis, err := market.Preset(border.Dev)
	if err != nil {
		t.Fatal(err)
	}
	chain := begin(t, beginning{
		chainID: "lode-test",
		time:    time.Unix(1_700_000_000, 0),
		secrets: [][]byte{secret},
		coins:   sdk.NewCoins(sdk.NewInt64Coin(Denom, 1_000_000)),
		market:  genesis,
	})
	chain.block(chain.time.Add(time.Second))
	return chain
}
