package app

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	dbm "github.com/cosmos/cosmos-db"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	markettypes "lode/x/market/types"
)

// The same work on states of other sizes: what it costs must not grow with them, but for a logarithm.
const (
	workers = 40
	rounds  = 5
	// leastStake is what one of a crowd has at stake.
	leastStake = 1_000_000_000
)

// crowd adds suppliers who are there, and may be drawn.
func crowd(genesis *markettypes.Genesis, purses []banktypes.Balance, count int) {
	for n := range count {
		operator := sdk.AccAddress(binary.BigEndian.AppendUint64(make([]byte, 12), uint64(n+1))).String()
		genesis.Suppliers = append(genesis.Suppliers, &markettypes.Supplier{
			Operator: operator, Owner: operator, Stake: fmt.Sprint(leastStake), RelayKey: relayKey(suppliers + 1 + n), Endpoint: "http://box",
			Offers:   []*markettypes.Offer{{Service: demo, Ask: 900_000 + uint64(n%100_000), Capacity: 1 << 20}},
			Standing: markettypes.Standing_STANDING_BONDED,
		})
	}
	purses[0].Coins = purses[0].Coins.Add(sdk.NewInt64Coin(Denom, int64(count)*leastStake))
}

// cpu is what this process has computed so far: other processes of the machine do not change it.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// How the cost of a block grows with the state, on disk: `go test -trimpath -run - -bench Growing
// -benchtime 1x -timeout 60m ./app`. It says how many milliseconds of computing some blocks took.
func BenchmarkGrowingState(b *testing.B) {
	for _, apps := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("apps=%d", apps), func(b *testing.B) { grown(b, apps, 0) })
	}
	for _, suppliers := range []int{100, 1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("suppliers=%d", suppliers), func(b *testing.B) { grown(b, workers, suppliers) })
	}
}

func grown(b *testing.B, apps, crowded int) {
	db, err := dbm.NewGoLevelDB("chain", b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	genesis, purses := busyMarket(b, apps)
	crowd(genesis, purses, crowded)
	chain := chainWith(b, genesis, purses, db)
	chain.block(chain.time.Add(time.Second))
	// The last of these counts: the first find caches empty, and a crowd that is not in the roster yet.
	for range rounds {
		measure := func(what string, work func()) {
			// What a collection of garbage costs is shared by all that made it.
			runtime.GC()
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			began := cpu(b)
			work()
			b.ReportMetric(float64((cpu(b)-began).Microseconds())/1_000, what+"-ms")
		}
		chain.untilNextSession()
		coin := sdk.NewInt64Coin(Denom, 1)
		measure("deposits", func() {
			var deposits []sdk.Msg
			for range workers {
				deposits = append(deposits, &markettypes.MsgDeposit{App: address(secretOf(0)).String(), Coin: &coin})
			}
			chain.do(secretOf(0), deposits...)
		})
		measure("opens", func() { chain.openSome(workers) })
		sessions := chain.sessions()
		measure("session", func() { chain.untilNextSession() })
		last := sessions[0]
		windows := last.Terms.Windows
		settled := int64(last.End + windows.Grace + windows.Claim + windows.Proof + windows.Audit)
		for chain.LastBlockHeight() < settled-1 {
			chain.block(chain.time.Add(time.Second))
		}
		measure("settlement", func() { chain.settle(settled) })
	}
}

// openSome opens sessions of the first apps.
func (c *chain) openSome(apps int) {
	c.t.Helper()
	var clock markettypes.AnswerClock
	c.ask("/lode.market.v1.Query/Clock", &markettypes.QueryClock{}, &clock)
	gateway := secretOf(suppliers)
	var opens []sdk.Msg
	for n := range apps {
		opens = append(opens, &markettypes.MsgOpenSession{
			Gateway: address(gateway).String(), App: appOf(n), Service: demo, Start: clock.Start, Budget: fmt.Sprint(budget),
		})
	}
	c.do(gateway, opens...)
}
