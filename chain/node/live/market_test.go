package live

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net/url"
	"testing"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"lode/x/market/border"
	markettypes "lode/x/market/types"
)

const (
	service = "demo"
	// escrowed is what the one app has deposited when its sessions open.
	escrowed = 1_000_000
	// budget is what each session may cost.
	budget = 10_000
	// price is what a million compute units cost: one coin each.
	price  = 1_000_000
	staked = 10_000_000_000
	// roomToOpen are the blocks that a session must still last for it to be opened.
	roomToOpen = 5
)

// bazaar is a market on a network: the first validator's account is app and gateway, those of the
// others are suppliers.
type bazaar struct {
	t         *testing.T
	net       *network
	gateway   *wallet
	suppliers []*wallet
}

// openBazaar registers everybody, and waits until all may serve.
func openBazaar(net *network) *bazaar {
	net.t.Helper()
	market := &bazaar{t: net.t, net: net, gateway: net.nodes[0].wallet()}
	source, digest := market.gateway.address, make([]byte, 32)
	stake, escrow := coin(staked), coin(escrowed)
	market.gateway.do(
		&markettypes.MsgListService{Source: source, Service: &markettypes.Service{
			Id: service, Source: source, ModelHash: digest, TokenizerHash: digest, TemplateHash: digest, Precision: "q8_0",
			ContextMax: 512, CuWeights: &markettypes.CuWeights{FreshIn: 1, CachedIn: 1, Out: 4}, PriceStart: price, Denom: "ulode",
		}},
		&markettypes.MsgStakeGateway{Gateway: source, Add: stake, RelayKey: relayKey(net.t, 0)},
		&markettypes.MsgDeposit{App: source, Coin: escrow},
		&markettypes.MsgDelegate{App: source, Gateway: source, Limit: escrow, Expires: 1 << 30},
	)
	for i, node := range net.nodes[1:] {
		supplier := node.wallet()
		market.suppliers = append(market.suppliers, supplier)
		supplier.do(&markettypes.MsgStakeSupplier{
			Owner: supplier.address, Operator: supplier.address, Add: stake, RelayKey: relayKey(net.t, i+1), Endpoint: "http://box",
			Offers: []*markettypes.Offer{{Service: service, Ask: price, Capacity: 1 << 40}},
		})
	}
	node := net.nodes[0]
	node.untilHeight(int64(node.clock().NextStart))
	return market
}

// open opens the running session, with all suppliers, and gives its record.
func (b *bazaar) open() *markettypes.Session {
	b.t.Helper()
	node := b.gateway.node
	clock := node.clock()
	if clock.NextStart < clock.Height+roomToOpen {
		node.untilHeight(int64(clock.NextStart))
		clock = node.clock()
	}
	b.gateway.do(&markettypes.MsgOpenSession{
		Gateway: b.gateway.address, App: b.gateway.address, Service: service, Start: clock.Start, Budget: fmt.Sprint(budget),
	})
	var opened markettypes.AnswerSessions
	node.question("Sessions", &markettypes.QuerySessions{Limit: 1}, &opened)
	if len(opened.Sessions) != 1 || len(opened.Sessions[0].Seats) != len(b.suppliers) {
		b.t.Fatalf("it is open: %+v", opened)
	}
	return opened.Sessions[0]
}

// claimsFrom is the first height that takes claims.
func claimsFrom(session *markettypes.Session) int64 {
	return int64(session.End + session.Terms.Windows.Grace)
}

// settles is the height at which a session is settled.
func settles(session *markettypes.Session) int64 {
	windows := session.Terms.Windows
	return claimsFrom(session) + int64(windows.Claim+windows.Proof+windows.Audit)
}

// claim is what the supplier of a number says it did: as many compute units.
func (b *bazaar) claim(supplier int, session *markettypes.Session, sum uint64) (hash string) {
	b.t.Helper()
	operator := b.suppliers[supplier]
	root := &markettypes.ClaimRoot{SessionId: session.Id, Root: make([]byte, 32), Sum: sum, Count: 1}
	return operator.hand(&markettypes.MsgSubmitClaims{Operator: operator.address, Claims: []*markettypes.ClaimRoot{root}})
}

// claimed is a session, and what each supplier claimed in it: 0 for nothing.
type claimed struct {
	session *markettypes.Session
	sums    []uint64
}

// paidToTheUnit checks on all nodes what became of each claim: its cost, if it was not drawn to be
// proven; a penalty, if it was, as there is no proof of it. What is left of the budgets is the app's
// again.
func (b *bazaar) paidToTheUnit(all ...claimed) {
	b.t.Helper()
	for _, node := range b.net.nodes {
		var costs uint64
		for _, one := range all {
			node.untilHeight(settles(one.session) + 1)
			for i, sum := range one.sums {
				if sum > 0 {
					costs += b.costOf(node, one.session, b.suppliers[i], sum)
				}
			}
		}
		var app markettypes.AnswerApp
		node.question("App", &markettypes.QueryApp{App: b.gateway.address}, &app)
		if got, want := app.Escrow[0].Amount, fmt.Sprint(escrowed-costs); got != want {
			b.t.Fatalf("%s: the app has %s in escrow, not %s", node.home, got, want)
		}
	}
}

// costOf checks one claim that was settled.
func (b *bazaar) costOf(node *node, session *markettypes.Session, supplier *wallet, sum uint64) (cost uint64) {
	b.t.Helper()
	var settled markettypes.Settled
	node.question("Settled", &markettypes.QuerySettled{SessionId: session.Id, Operator: supplier.address}, &settled)
	slashed, reason := fmt.Sprint(session.Terms.Proving.PenaltyMin), "not_proven"
	if settled.Phase == markettypes.Phase_PHASE_SPARED {
		cost, slashed, reason = sum, "0", ""
	}
	right := settled.Root.Sum == sum && settled.Cost == fmt.Sprint(cost) && settled.Slashed == slashed && settled.Reason == reason
	if !right || sumOf(settled.Split) != settled.Cost {
		b.t.Fatalf("%s: a claim of %d became %+v", node.home, sum, &settled)
	}
	return cost
}

func sumOf(split *markettypes.Split) string {
	sum := new(big.Int)
	for _, part := range []string{split.Supplier, split.Source, split.Audits, split.Treasury, split.Burn} {
		number, _ := new(big.Int).SetString(part, 10)
		sum.Add(sum, number)
	}
	return sum.String()
}

func depositOf(app *wallet, amount int64) sdk.Msg {
	return &markettypes.MsgDeposit{App: app.address, Coin: coin(amount)}
}

func coin(amount int64) *sdk.Coin {
	one := sdk.NewInt64Coin("ulode", amount)
	return &one
}

func relayKey(t *testing.T, n int) []byte {
	t.Helper()
	key, err := border.PublicKey([border.KeySize]byte{byte(n + 1)})
	if err != nil {
		t.Fatal(err)
	}
	return key[:]
}

func (n *node) clock() (clock markettypes.AnswerClock) {
	n.t.Helper()
	n.question("Clock", &markettypes.QueryClock{}, &clock)
	return clock
}

// question asks the market over a node's RPC.
func (n *node) question(name string, question, answer proto.Message) {
	n.t.Helper()
	data, err := proto.Marshal(question)
	if err != nil {
		n.t.Fatal(err)
	}
	var told struct {
		Result struct {
			Response struct {
				Code       uint32
				Log, Value string
			}
		}
	}
	path := url.QueryEscape(`"/lode.market.v1.Query/` + name + `"`)
	if err := n.get(1, fmt.Sprintf("/abci_query?path=%s&data=0x%x", path, data), &told); err != nil || told.Result.Response.Code != 0 {
		n.t.Fatalf("%s: %s: %+v, %v", n.home, name, told, err)
	}
	value, err := base64.StdEncoding.DecodeString(told.Result.Response.Value)
	if err == nil {
		err = proto.Unmarshal(value, answer)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}
