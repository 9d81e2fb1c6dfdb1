package live

import (
	"fmt"
	"testing"
	"time"

	markettypes "lode/x/market/types"
)

// untilHalt waits until none of the nodes makes blocks, and gives the highest height among them.
func untilHalt(nodes ...*node) (halted int64) {
	nodes[0].t.Helper()
	heights := func() string {
		text := ""
		for _, one := range nodes {
			height := one.height()
			halted = max(halted, height)
			text += fmt.Sprint(height, " ")
		}
		return text
	}
	nodes[0].until("a halt", func() bool {
		before := heights()
		time.Sleep(stillness)
		return heights() == before
	})
	return halted
}

// agree checks that all nodes have the same blocks and states between two heights.
func (n *network) agree(from, to int64) {
	n.t.Helper()
	for _, node := range n.nodes {
		node.untilHeight(to)
	}
	for height := from; height <= to; height++ {
		for _, node := range n.nodes[1:] {
			if got, want := node.blockAt(height), n.nodes[0].blockAt(height); got != want {
				n.t.Fatalf("at height %d %s has %+v, the first one %+v", height, node.home, got, want)
			}
		}
	}
}

// blockAt is a block's hash and the state before it.
func (n *node) blockAt(height int64) (hashes [2]string) {
	n.t.Helper()
	var told struct {
		Result struct {
			BlockID struct{ Hash string } `json:"block_id"`
			Block   struct {
				Header struct {
					AppHash string `json:"app_hash"`
				}
			}
		}
	}
	if err := n.get(1, fmt.Sprintf("/block?height=%d", height), &told); err != nil {
		n.t.Fatal(err)
	}
	return [2]string{told.Result.BlockID.Hash, told.Result.Block.Header.AppHash}
}

// Two and two cannot hear each other: neither half makes a block, what was handed in waits on its
// side, and after the healing all of it is in one chain and paid.
func TestTwoHalvesMakeNoBlocksAndLoseNothing(t *testing.T) {
	net, links := linked(t, 4)
	net.start()
	market := openBazaar(net)
	session := market.open()
	net.nodes[0].untilHeight(claimsFrom(session))

	apart := links.between(0, 1)
	for _, link := range apart {
		link.cut()
	}
	halted := untilHalt(net.nodes...)
	sums := []uint64{10, 2_000, 3_333}
	var claims []string
	for i, sum := range sums {
		claims = append(claims, market.claim(i, session, sum))
	}
	deposit := market.gateway.hand(&markettypes.MsgDelegate{
		App: market.gateway.address, Gateway: market.gateway.address, Limit: coin(escrowed / 2), Expires: 1 << 30,
	})
	if still := untilHalt(net.nodes...); still != halted {
		t.Fatalf("apart, they went on from %d to %d", halted, still)
	}
	for _, link := range apart {
		link.heal()
	}
	net.nodes[0].made(append(claims, deposit)...)
	net.agree(halted-3, halted+5)
	market.paidToTheUnit(claimed{session, sums})
}

// One that hears nobody falls behind, and catches up when it can; its own transaction waited.
func TestWhoIsCutOffCatchesUp(t *testing.T) {
	net, links := linked(t, 4)
	net.start()
	first, lonely := net.nodes[0], net.nodes[3]
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	near, far := first.wallet(), lonely.wallet()
	for _, link := range links.between(3) {
		link.cut()
		link.hangUp()
	}
	left := untilHalt(lonely)
	deposits := []string{
		far.hand(depositOf(far, 11)),
		near.hand(depositOf(near, 7)),
	}
	first.made(deposits[1])
	first.untilHeight(left + 10)
	if height := lonely.height(); height > left {
		t.Fatalf("cut off, it went on from %d to %d", left, height)
	}
	for _, link := range links.between(3) {
		link.heal()
	}
	lonely.untilHeight(first.height())
	first.made(deposits...)
	net.agree(left-2, first.height())
	var seed struct{ Outputs int }
	first.until("a seed of all four", func() bool {
		first.ask(&seed, "beacon", "seed")
		return seed.Outputs == 4
	})
}

// Far and thin links make blocks late, but make them, with everything that is handed in.
func TestSlowLinksAreEnough(t *testing.T) {
	for what, quality := range map[string]struct {
		delay time.Duration
		pace  int
	}{
		"far":  {150 * time.Millisecond, 0},
		"thin": {20 * time.Millisecond, 40_000},
	} {
		t.Run(what, func(t *testing.T) {
			net, links := linked(t, 4)
			for _, link := range links {
				link.slow(quality.delay, quality.pace)
			}
			net.start()
			began := time.Now()
			for _, node := range net.nodes {
				node.untilHeight(3)
			}
			var hashes []string
			for _, node := range net.nodes {
				wallet := node.wallet()
				for range 5 {
					hashes = append(hashes, wallet.hand(depositOf(wallet, 3)))
				}
			}
			last := net.nodes[3]
			last.made(hashes...)
			height := last.height()
			t.Logf("%d blocks in %s", height, time.Since(began).Round(time.Second))
			net.agree(1, height)
		})
	}
}
