package border

import (
	"errors"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"testing"

	"cosmossdk.io/log"
	"cosmossdk.io/store"
	"cosmossdk.io/store/metrics"
	storetypes "cosmossdk.io/store/types"
	dbm "github.com/cosmos/cosmos-db"
)

// world is a host with a bank of one account.
type world struct {
	store  storetypes.KVStore
	held   *big.Int
	events []string
	// fault is what the next payment panics with.
	fault func()
}

func (w *world) Store() storetypes.KVStore { return w.store }

func (w *world) Pay(_, _ []byte, _, amount string) bool {
	if w.fault != nil {
		w.fault()
	}
	number, _ := new(big.Int).SetString(amount, 10)
	if w.held.Cmp(number) < 0 {
		return false
	}
	w.held.Sub(w.held, number)
	return true
}

func (w *world) Burn(_, _, amount string) bool { return w.Pay(nil, nil, "", amount) }

func (w *world) Emit(kind string, attributes []Attribute) {
	for _, attribute := range attributes {
		kind += " " + attribute.Name + "=" + attribute.Value
	}
	w.events = append(w.events, kind)
}

func (w *world) Validators() []Validator { return nil }

var (
	authority = []byte("twenty bytes of name")
	here      = Block{ChainID: "lode-border", Height: 1}
)

// begun is a market with nobody in it.
func begun(t testing.TB) *world {
	t.Helper()
	key := storetypes.NewKVStoreKey("market")
	stores := store.NewCommitMultiStore(dbm.NewMemDB(), log.NewNopLogger(), metrics.NewNoOpMetrics())
	stores.MountStoreWithDB(key, storetypes.StoreTypeIAVL, nil)
	if err := stores.LoadLatestVersion(); err != nil {
		t.Fatal(err)
	}
	made := &world{store: stores.CacheMultiStore().GetKVStore(key), held: big.NewInt(1_000_000)}
	preset := Preset(Dev, authority)
	for _, outcome := range []Outcome{preset, Genesis(made, Block{ChainID: here.ChainID}, preset.Answer), BeginBlock(made, here)} {
		if err := outcome.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

const depositURL = "/lode.market.v1.MsgDeposit"

// deposit is MsgDeposit of an account, of some ulode.
func deposit(amount string) []byte {
	const app = "lode1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqllugsd"
	coin := "\x0a\x05ulode\x12" + string(rune(len(amount))) + amount
	return []byte("\x0a" + string(rune(len(app))) + app + "\x12" + string(rune(len(coin))) + coin)
}

func TestAMessageIsExecutedOrRefusedWithItsCode(t *testing.T) {
	world := begun(t)
	done := Execute(world, here, NoLimit, depositURL, deposit("5000"))
	if done.Code != OK || world.held.Int64() != 995_000 || !strings.HasPrefix(world.events[len(world.events)-1], "lode_deposit app=lode1qqq") {
		t.Fatalf("%d %s; %s is left; %v", done.Code, done.Answer, world.held, world.events)
	}
	short := Execute(world, here, NoLimit, depositURL, deposit("5000000"))
	if short.Code != 6 || !strings.Contains(string(short.Answer), "has less than 5000000ulode") {
		t.Fatalf("%d %s", short.Code, short.Answer)
	}
	unknown := Execute(world, here, NoLimit, "/lode.market.v1.MsgNothing", nil)
	if unknown.Code != 2 {
		t.Fatalf("%d %s", unknown.Code, unknown.Answer)
	}
}

func TestGasEndsACall(t *testing.T) {
	world := begun(t)
	whole := Execute(world, here, NoLimit, depositURL, deposit("1"))
	if cut := Execute(world, here, 10, depositURL, deposit("1")); cut.Code != OutOfGas || cut.Gas <= 10 || cut.Gas > whole.Gas {
		t.Fatalf("%+v of %+v", cut, whole)
	}
}

func TestAPanicOfTheHostComesOutOnThisSide(t *testing.T) {
	outOfGas := storetypes.ErrorOutOfGas{Descriptor: "bank"}
	fault := func(fault func()) (caught any) {
		world := begun(t)
		world.fault = fault
		defer func() { caught = recover() }()
		Execute(world, here, NoLimit, depositURL, deposit("1"))
		return nil
	}
	if caught := fault(func() { panic(outOfGas) }); caught != any(outOfGas) {
		t.Fatalf("%v came out", caught)
	}
	var broken runtime.Error
	caught := fault(func() { _ = []int{}[len(authority)] })
	if err, ok := caught.(error); !ok || !errors.As(err, &broken) || !strings.Contains(err.Error(), "the market's host") {
		t.Fatalf("%v came out", caught)
	}
}

func TestCallsAtTheSameTimeDoNotMeet(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		world := begun(t)
		all.Go(func() {
			for range 50 {
				if done := Execute(world, here, NoLimit, depositURL, deposit("10")); done.Code != OK {
					t.Errorf("%d %s", done.Code, done.Answer)
				}
				if done := Query(world, here, NoLimit, "/lode.market.v1.Query/Clock", nil); done.Code != OK {
					t.Errorf("%d %s", done.Code, done.Answer)
				}
			}
			if world.held.Int64() != 999_500 {
				t.Errorf("%s is left", world.held)
			}
		})
	}
	all.Wait()
}

func FuzzAnyBytesAreExecutedOrRefused(f *testing.F) {
	f.Add(depositURL, deposit("5"))
	f.Add("/lode.market.v1.MsgSubmitClaims", []byte("\x12\x00"))
	f.Fuzz(func(t *testing.T, url string, message []byte) {
		world := begun(t)
		if done := Execute(world, here, NoLimit, url, message); done.Code >= aborted {
			t.Fatalf("%d %s", done.Code, done.Answer)
		}
	})
}

func BenchmarkACallThatAsksNothing(b *testing.B) {
	for b.Loop() {
		Preset(Dev, authority)
	}
}

func BenchmarkAQuestion(b *testing.B) {
	world := begun(b)
	for b.Loop() {
		Query(world, here, NoLimit, "/lode.market.v1.Query/Clock", nil)
	}
}

func BenchmarkADeposit(b *testing.B) {
	world := begun(b)
	world.held.Lsh(world.held, 64)
	crossed := &counted{KVStore: world.store}
	world.store = crossed
	message := deposit("1")
	for b.Loop() {
		Execute(world, here, NoLimit, depositURL, message)
		world.events = world.events[:0]
	}
	b.ReportMetric(float64(crossed.reads)/float64(b.N), "reads/op")
	b.ReportMetric(float64(crossed.writes)/float64(b.N), "writes/op")
}

// counted is a store that counts what comes over the border.
type counted struct {
	storetypes.KVStore
	reads, writes int
}

func (c *counted) Get(key []byte) []byte {
	c.reads++
	return c.KVStore.Get(key)
}

func (c *counted) Set(key, value []byte) {
	c.writes++
	c.KVStore.Set(key, value)
}
