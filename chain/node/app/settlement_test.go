package app

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	dbm "github.com/cosmos/cosmos-db"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"lode/x/market"
	"lode/x/market/border"
	markettypes "lode/x/market/types"
)

// What a busy market begins with: as many sessions as apps, each with claims of all suppliers.
const (
	suppliers = 5
	stake     = 1_000_000_000_000_000
	budget    = 1_000
	demo      = "demo"
)

// busyMarket is a genesis in which everybody is there already.
func busyMarket(t testing.TB, apps int) (*markettypes.Genesis, []banktypes.Balance) {
	t.Helper()
	genesis, err := market.Preset(border.Dev)
	if err != nil {
		t.Fatal(err)
	}
	gateway := address(secretOf(suppliers)).String()
	digest := make([]byte, 32)
	genesis.Services = []*markettypes.Service{{
		Id: demo, Source: gateway, ModelHash: digest, TokenizerHash: digest, TemplateHash: digest, Precision: "q8_0",
		ContextMax: 512, CuWeights: &markettypes.CuWeights{FreshIn: 1, CachedIn: 1, Out: 4}, PriceStart: 1_000_000, Denom: Denom,
	}}
	for n := range suppliers {
		operator := address(secretOf(n)).String()
		genesis.Suppliers = append(genesis.Suppliers, &markettypes.Supplier{
			Operator: operator, Owner: operator, Stake: fmt.Sprint(stake), RelayKey: relayKey(n), Endpoint: "http://box",
			Offers:   []*markettypes.Offer{{Service: demo, Ask: 1_000_000, Capacity: 1 << 40}},
			Standing: markettypes.Standing_STANDING_BONDED,
		})
	}
	genesis.Gateways = []*markettypes.Gateway{{
		Address: gateway, Stake: fmt.Sprint(stake), RelayKey: relayKey(suppliers), Exposure: "0", Standing: markettypes.Standing_STANDING_BONDED,
	}}
	for n := range apps {
		app := appOf(n)
		genesis.Escrow = append(genesis.Escrow, &markettypes.Escrow{App: app, Denom: Denom, Amount: fmt.Sprint(budget)})
		genesis.Delegations = append(genesis.Delegations, &markettypes.Delegation{
			App: app, Gateway: gateway, Denom: Denom, Limit: fmt.Sprint(budget), Expires: 1 << 30,
		})
	}
	purse := func(name string, amount int64) banktypes.Balance {
		coins := sdk.NewCoins(sdk.NewInt64Coin(Denom, amount))
		return banktypes.Balance{Address: authtypes.NewModuleAddress(name).String(), Coins: coins}
	}
	return genesis, []banktypes.Balance{purse("market/stake", (suppliers+1)*stake), purse("market/escrow", int64(apps)*budget)}
}

// relayKey is a point of the curve: the public half of a key, as relays are signed with.
func relayKey(n int) []byte {
	var secret [border.KeySize]byte
	binary.BigEndian.PutUint64(secret[:], uint64(n+1))
	key, err := border.PublicKey(secret)
	if err != nil {
		panic(err)
	}
	return key[:]
}

func appOf(n int) string {
	account := make([]byte, 20)
	copy(account, fmt.Sprintf("app %d", n))
	return sdk.AccAddress(account).String()
}

// chainOf begins a chain with so many apps.
func chainOf(t testing.TB, apps int, db dbm.DB) *chain {
	t.Helper()
	genesis, purses := busyMarket(t, apps)
	return chainWith(t, genesis, purses, db)
}

// chainWith begins a chain with a busy market.
func chainWith(t testing.TB, genesis *markettypes.Genesis, purses []banktypes.Balance, db dbm.DB) *chain {
	t.Helper()
	var secrets [][]byte
	for n := range suppliers + 1 {
		secrets = append(secrets, secretOf(n))
	}
	return begin(t, beginning{
		chainID: "lode-busy", time: time.Unix(1_700_000_000, 0), beacon: [border.KeySize]byte{9},
		secrets: secrets, coins: sdk.NewCoins(sdk.NewInt64Coin(Denom, 1_000_000_000)), market: genesis, purses: purses, db: db,
	})
}

// do makes a block of one transaction with these messages, which must be taken.
func (c *chain) do(secret []byte, messages ...sdk.Msg) {
	c.t.Helper()
	var packed []*codectypes.Any
	for _, message := range messages {
		one, err := codectypes.NewAnyWithValue(message)
		c.must(err)
		packed = append(packed, one)
	}
	result := c.block(c.time.Add(time.Second), c.signAll(secret, packed)).TxResults[0]
	if result.Code != 0 {
		c.t.Fatalf("%s", result.Log)
	}
}

// openAndClaim opens a session for each app, and claims a little in each for all suppliers.
func (c *chain) openAndClaim(apps int) (settled int64) {
	c.t.Helper()
	c.block(c.time.Add(time.Second))
	var clock markettypes.AnswerClock
	c.ask("/lode.market.v1.Query/Clock", &markettypes.QueryClock{}, &clock)
	for c.LastBlockHeight() < int64(clock.NextStart) {
		c.block(c.time.Add(time.Second))
	}
	gateway := secretOf(suppliers)
	var opens []sdk.Msg
	for n := range apps {
		opens = append(opens, &markettypes.MsgOpenSession{
			Gateway: address(gateway).String(), App: appOf(n), Service: demo, Start: clock.NextStart, Budget: fmt.Sprint(budget),
		})
	}
	c.do(gateway, opens...)
	sessions := c.sessions()
	last := sessions[0]
	for c.LastBlockHeight() < int64(last.End+last.Terms.Windows.Grace) {
		c.block(c.time.Add(time.Second))
	}
	for n := range suppliers {
		var claims []sdk.Msg
		for from := 0; from < len(sessions); from += claimsEach {
			message := &markettypes.MsgSubmitClaims{Operator: address(secretOf(n)).String()}
			for _, session := range sessions[from:min(from+claimsEach, len(sessions))] {
				message.Claims = append(message.Claims, &markettypes.ClaimRoot{SessionId: session.Id, Root: make([]byte, 32), Sum: 10, Count: 1})
			}
			claims = append(claims, message)
		}
		c.do(secretOf(n), claims...)
	}
	windows := last.Terms.Windows
	return int64(last.End + windows.Grace + windows.Claim + windows.Proof + windows.Audit)
}

// claimsEach is how many claims are in one message.
const claimsEach = 250

func (c *chain) sessions() (sessions []*markettypes.Session) {
	c.t.Helper()
	var after []byte
	for {
		var page markettypes.AnswerSessions
		c.ask("/lode.market.v1.Query/Sessions", &markettypes.QuerySessions{After: after}, &page)
		if len(page.Sessions) == 0 {
			return sessions
		}
		sessions = append(sessions, page.Sessions...)
		after = sessions[len(sessions)-1].Id
	}
}

// settle makes blocks until nothing is open, and says how long those took that settled, and what of it
// was computing.
func (c *chain) settle(at int64) (blocks int, took, computed time.Duration) {
	c.t.Helper()
	for c.LastBlockHeight() < at-1 {
		c.block(c.time.Add(time.Second))
	}
	for open := true; open; blocks++ {
		began, before := time.Now(), cpu(c.t)
		c.block(c.time.Add(time.Second))
		took += time.Since(began)
		computed += cpu(c.t) - before
		var page markettypes.AnswerSessions
		c.ask("/lode.market.v1.Query/Sessions", &markettypes.QuerySessions{Limit: 1}, &page)
		open = len(page.Sessions) > 0
		if blocks > 100 {
			c.t.Fatal("sessions stay open")
		}
	}
	return blocks, took, computed
}

// bytes are those of all records of the market.
func (c *chain) bytes() (sum int) {
	records := c.ctx().KVStore(c.UnsafeFindStoreKey(market.Name)).Iterator(nil, nil)
	defer records.Close()
	for ; records.Valid(); records.Next() {
		sum += len(records.Key()) + len(records.Value())
	}
	return sum
}

func TestManyClaimsAreSettled(t *testing.T) {
	const apps = 20
	chain := chainOf(t, apps, nil)
	blocks, took, _ := chain.settle(chain.openAndClaim(apps))
	t.Logf("%d claims in %d blocks and %s", apps*suppliers, blocks, took)
}

// Ten thousand claims: `go test -trimpath -run - -bench Settle -benchtime 1x ./app`.
func BenchmarkSettleTenThousandClaims(b *testing.B) {
	const apps = 2_000
	for range b.N {
		b.StopTimer()
		db, err := dbm.NewGoLevelDB("chain", b.TempDir(), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = db.Close() })
		chain := chainOf(b, apps, db)
		chain.block(chain.time.Add(time.Second))
		before := chain.bytes()
		at := chain.openAndClaim(apps)
		blocks, took, computed := chain.settle(at)
		b.ReportMetric(float64(chain.bytes()-before)/(suppliers*apps), "bytes/claim")
		b.ReportMetric(float64(took.Milliseconds()), "ms/settlement")
		b.ReportMetric(float64(computed.Milliseconds()), "cpu-ms/settlement")
		b.ReportMetric(float64(blocks), "blocks")
		b.StartTimer()
	}
}

func TestAGenesisWhosePursesDoNotHoldWhatIsOwedBeginsNoChain(t *testing.T) {
	genesis, purses := busyMarket(t, 1)
	purses[1].Coins = sdk.NewCoins(sdk.NewInt64Coin(Denom, budget-1))
	defer func() {
		want := "the market's records owe 1000ulode, but market/escrow holds 999 of them"
		if fault := fmt.Sprint(recover()); fault != want {
			t.Errorf("it began, or said %q", fault)
		}
	}()
	begin(t, beginning{
		chainID: "lode-short", time: time.Unix(1_700_000_000, 0), secrets: [][]byte{rich},
		coins: sdk.NewCoins(sdk.NewInt64Coin(Denom, 1)), market: genesis, purses: purses,
	})
}

// How many deposits a second a block takes: `go test -trimpath -run - -bench Deposits ./app`.
func BenchmarkDeposits(b *testing.B) {
	const each = 500
	db, err := dbm.NewGoLevelDB("chain", b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	chain := chainOf(b, 1, db)
	chain.block(chain.time.Add(time.Second))
	coin := sdk.NewInt64Coin(Denom, 1)
	deposit := &markettypes.MsgDeposit{App: address(secretOf(0)).String(), Coin: &coin}
	var took time.Duration
	for b.Loop() {
		var txs [][]byte
		for range each {
			txs = append(txs, chain.signMessage(secretOf(0), deposit))
		}
		began := time.Now()
		for _, result := range chain.block(chain.time.Add(time.Second), txs...).TxResults {
			if result.Code != 0 {
				b.Fatal(result.Log)
			}
		}
		took += time.Since(began)
	}
	b.ReportMetric(float64(each*b.N)/took.Seconds(), "deposits/s")
}
