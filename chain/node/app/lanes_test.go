package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"lode/x/market"
	"lode/x/market/border"
	markettypes "lode/x/market/types"
)

// accounts is how many senders a busy chain has.
const accounts = 10

func secretOf(n int) []byte { return bytes.Repeat([]byte{byte(n + 1)}, 32) }

// busyChain has blocks with gas for some transactions.
func busyChain(t *testing.T, txs int64) *chain {
	t.Helper()
	genesis, err := market.Preset(border.Dev)
	if err != nil {
		t.Fatal(err)
	}
	var secrets [][]byte
	for n := range accounts {
		secrets = append(secrets, secretOf(n))
	}
	chain := begin(t, beginning{
		chainID:  "lode-busy",
		time:     time.Unix(1_700_000_000, 0),
		beacon:   [border.KeySize]byte{9},
		secrets:  secrets,
		coins:    sdk.NewCoins(sdk.NewInt64Coin(Denom, 1_000_000_000)),
		market:   genesis,
		blockGas: txs * gasLimit,
	})
	chain.block(chain.time.Add(time.Second))
	return chain
}

// wait lets transactions come in: `c` is a claim of the next account, `p` a payment, and so are `C`
// and `P` of the same account as the one before.
func (c *chain) wait(kinds string) {
	c.t.Helper()
	sender := -1
	for _, kind := range strings.Split(kinds, "") {
		if strings.ToLower(kind) == kind {
			sender++
		}
		secret := secretOf(sender)
		var message sdk.Msg = &markettypes.MsgSubmitClaims{Operator: address(secret).String()}
		if strings.ToLower(kind) == "p" {
			coins := sdk.NewCoins(sdk.NewInt64Coin(Denom, 1))
			message = banktypes.NewMsgSend(address(secret), address(secretOf(0)), coins)
		}
		response, err := c.CheckTx(&abci.RequestCheckTx{Tx: c.signMessage(secret, message)})
		c.must(err)
		if response.Code != 0 {
			c.t.Fatalf("%s is not taken: %s", kind, response.Log)
		}
	}
}

// proposed are the kinds of the next block's transactions.
func (c *chain) proposed() (kinds string) {
	c.t.Helper()
	height := c.LastBlockHeight() + 1
	response, err := c.PrepareProposal(&abci.RequestPrepareProposal{
		Height: height, MaxTxBytes: 1 << 20, Time: c.time, LocalLastCommit: c.signed(height, c.extension(height)),
	})
	c.must(err)
	if !c.accepts(response.Txs...) {
		c.t.Fatal("the proposal is refused")
	}
	for _, encoded := range response.Txs[1:] {
		tx, err := c.TxDecode(encoded)
		c.must(err)
		kinds += map[lane]string{claims: "c", general: "p"}[laneOf(tx)]
	}
	c.block(c.time.Add(time.Second), response.Txs[1:]...)
	return kinds
}

func TestClaimsTakeThreeQuartersFirstAndWhatOthersLeave(t *testing.T) {
	for _, busy := range []struct {
		room            int64
		waiting, blocks string
	}{
		{4, "ppppcccc", "cccp cppp"},
		{4, "ccccc", "cccc c"},
		{4, "ppppp", "pppp p"},
		{8, "pppppcccc", "ccccpppp p"},
		{8, "", " "},
		// Of one sender: the claim must wait for the payment before it.
		{4, "pC", "pc "},
		{4, "pCcccc", "cccp cc"},
	} {
		chain := busyChain(t, busy.room)
		if busy.waiting != "" {
			chain.wait(busy.waiting)
		}
		if got := chain.proposed() + " " + chain.proposed(); got != busy.blocks {
			t.Errorf("of %s blocks of %d take %q, not %q", busy.waiting, busy.room, got, busy.blocks)
		}
		if left := chain.Mempool().CountTx(); left != 0 {
			t.Errorf("of %s %d still wait", busy.waiting, left)
		}
	}
}

func TestALaneThatIsFullDoesNotCloseTheOther(t *testing.T) {
	kept := room
	t.Cleanup(func() { room = kept })
	room[general] = 2
	chain := busyChain(t, 4)
	chain.wait("pp")
	secret := secretOf(5)
	message := banktypes.NewMsgSend(address(secret), address(secretOf(0)), sdk.NewCoins(sdk.NewInt64Coin(Denom, 1)))
	response, err := chain.CheckTx(&abci.RequestCheckTx{Tx: chain.signMessage(secret, message)})
	chain.must(err)
	if response.Code == 0 || !strings.Contains(response.Log, "2 transactions of this kind wait already") {
		t.Fatalf("a third is taken: %+v", response)
	}
	claim := &markettypes.MsgSubmitClaims{Operator: address(secretOf(6)).String()}
	response, err = chain.CheckTx(&abci.RequestCheckTx{Tx: chain.signMessage(secretOf(6), claim)})
	chain.must(err)
	if response.Code != 0 {
		t.Fatalf("a claim is not taken: %s", response.Log)
	}
}

func TestAKeyIsNeededOnce(t *testing.T) {
	chain := busyChain(t, 4)
	chain.wait("p")
	chain.proposed()
	message := banktypes.NewMsgSend(address(secretOf(0)), address(secretOf(1)), sdk.NewCoins(sdk.NewInt64Coin(Denom, 1)))
	value, err := message.Marshal()
	chain.must(err)
	response, err := chain.CheckTx(&abci.RequestCheckTx{Tx: chain.signBytes(secretOf(0), sdk.MsgTypeURL(message), value, false)})
	chain.must(err)
	if response.Code != 0 {
		t.Fatalf("a transaction without a key is not taken: %s", response.Log)
	}
	if got := chain.proposed(); got != "p" {
		t.Fatalf("the block takes %q", got)
	}
}
