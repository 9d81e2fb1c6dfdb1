package app

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"lode/x/market"
	"lode/x/market/border"
	markettypes "lode/x/market/types"
)

// The recorded run: its first line is the beginning, each other one a block.
type (
	head struct {
		ChainID  string `json:"chain_id"`
		Time     int64
		Beacon   octets
		Operator octets
		Accounts []octets
		Coins    string
		Genesis  octets
		State    octets
	}
	recorded struct {
		Height       int64
		Time         int64
		Seed         octets
		Begun, Ended []event
		Txs          []transaction
		State        octets
		Purses       []string
		Accounts     []string
	}
	transaction struct {
		Signer  octets
		TypeURL string `json:"type_url"`
		Value   octets
		Code    uint32
		Words   string
		Events  []event
	}
	event struct {
		Kind       string
		Attributes [][2]string
	}
)

// octets are bytes in hex.
type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// The market does on this chain what it did in memory: the same records, coins, codes, words and
// events, with seeds that the validator's votes made.
func TestTheRecordedRunIsRepeatedToTheByte(t *testing.T) {
	repeatAll(t)
}

// Nothing of a block depends on how many threads run, or on the order in which Go walks over maps.
func TestTheSameBlocksGiveTheSameStateOnEveryNode(t *testing.T) {
	states := repeatAll(t)
	kept := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(kept)
	for i, state := range repeatAll(t) {
		if !bytes.Equal(state, states[i]) {
			t.Fatalf("block %d: the state is %x, and then %x", i+1, states[i], state)
		}
	}
}

// repeatAll makes all recorded blocks, and gives the chain's state after each.
func repeatAll(t *testing.T) (states [][]byte) {
	t.Helper()
	lines := read(t)
	var from head
	if err := json.Unmarshal(lines[0], &from); err != nil {
		t.Fatal(err)
	}
	chain := beginTrace(t, from)
	for _, line := range lines[1:] {
		var block recorded
		if err := json.Unmarshal(line, &block); err != nil {
			t.Fatal(err)
		}
		chain.repeat(from, block)
		states = append(states, chain.LastCommitID().Hash)
	}
	if len(states) != len(lines)-1 {
		t.Fatalf("%d blocks of %d", len(states), len(lines)-1)
	}
	return states
}

func read(t *testing.T) (lines [][]byte) {
	t.Helper()
	text, err := os.ReadFile("testdata/trace.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewScanner(bytes.NewReader(text))
	reader.Buffer(nil, len(text))
	for reader.Scan() {
		lines = append(lines, bytes.Clone(reader.Bytes()))
	}
	return lines
}

func beginTrace(t *testing.T, from head) *chain {
	t.Helper()
	genesis := new(markettypes.Genesis)
	if err := genesis.Unmarshal(from.Genesis); err != nil {
		t.Fatal(err)
	}
	coins, err := sdk.ParseCoinsNormalized(from.Coins)
	if err != nil {
		t.Fatal(err)
	}
	var secrets [][]byte
	for _, secret := range from.Accounts {
		secrets = append(secrets, secret)
	}
	return begin(t, beginning{
		chainID:  from.ChainID,
		time:     time.UnixMilli(from.Time),
		beacon:   [border.KeySize]byte(from.Beacon),
		secrets:  secrets,
		operator: from.Operator,
		coins:    coins,
		market:   genesis,
	})
}

// repeat makes a block of what was recorded, and compares what became of it.
func (c *chain) repeat(from head, block recorded) {
	c.t.Helper()
	var txs [][]byte
	for _, sent := range block.Txs {
		txs = append(txs, c.sign(sent.Signer, sent.TypeURL, sent.Value))
	}
	response := c.block(time.UnixMilli(block.Time), txs...)
	seed, err := c.App.beacon.Seed(c.ctx())
	c.must(err)
	c.same(block.Height, "seed", seed[:], []byte(block.Seed))
	c.same(block.Height, "events of the block", ours(response.Events), join(block.Begun, block.Ended))
	for i, sent := range block.Txs {
		c.sameResult(block.Height, sent, response.TxResults[i])
	}
	c.same(block.Height, "records", c.state(), []byte(block.State))
	for i, purse := range market.Purses {
		c.same(block.Height, purse, c.held(authtypes.NewModuleAddress(purse)), block.Purses[i])
	}
	for i, secret := range from.Accounts {
		account := address(secret)
		c.same(block.Height, account.String(), c.held(account), block.Accounts[i])
	}
}

func (c *chain) sameResult(height int64, sent transaction, got *abci.ExecTxResult) {
	c.t.Helper()
	c.same(height, sent.TypeURL+" code", got.Code, sent.Code)
	if sent.Code == 0 {
		c.same(height, sent.TypeURL+" events", ours(got.Events), join(sent.Events))
		return
	}
	c.same(height, sent.TypeURL+" codespace", got.Codespace, market.Codespace)
	c.same(height, sent.TypeURL+" words", strings.HasSuffix(got.Log, sent.Words), true)
	c.same(height, sent.TypeURL+" events", ours(got.Events), join())
}

func (c *chain) same(height int64, what string, got, want any) {
	c.t.Helper()
	if !reflect.DeepEqual(got, want) {
		c.t.Fatalf("height %d: %s: %v on this chain, but %v in memory", height, what, got, want)
	}
}

// state is the hash over all records that the recorder makes too.
func (c *chain) state() []byte {
	hash := sha256.New()
	part := func(part []byte) {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	part([]byte("lode/trace/state"))
	records := c.ctx().KVStore(c.UnsafeFindStoreKey(market.Name)).Iterator(nil, nil)
	defer records.Close()
	for ; records.Valid(); records.Next() {
		part(records.Key())
		part(records.Value())
	}
	return hash.Sum(nil)
}

// held is all that an account or purse has.
func (c *chain) held(account sdk.AccAddress) string {
	var answer banktypes.QueryAllBalancesResponse
	c.ask("/cosmos.bank.v1beta1.Query/AllBalances", &banktypes.QueryAllBalancesRequest{Address: account.String()}, &answer)
	return answer.Balances.String()
}

// ours are the market's events among others, without what the SDK adds to their attributes.
func ours(all []abci.Event) []event {
	market := []event{}
	for _, told := range all {
		if !strings.HasPrefix(told.Type, "lode_") {
			continue
		}
		one := event{Kind: told.Type, Attributes: [][2]string{}}
		for _, attribute := range told.Attributes {
			if attribute.Key != "msg_index" && attribute.Key != "mode" {
				one.Attributes = append(one.Attributes, [2]string{attribute.Key, attribute.Value})
			}
		}
		market = append(market, one)
	}
	return market
}

func join(parts ...[]event) []event {
	all := []event{}
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}
