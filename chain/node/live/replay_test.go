package live

import (
	"os"
	"path/filepath"
	"testing"
)

// otherwise is how a process is made to run its goroutines and to collect its garbage in another way
// than the others do.
var otherwise = []string{"GOMAXPROCS=1", "GOGC=5"}

// Who executes all blocks again, from its own store or from a peer's, comes to the same states: each
// block says what the state before it was.
func TestAllBlocksFromTheFirstOnGiveTheSameStatesAgain(t *testing.T) {
	net := start(t, 2)
	first, forgetful := net.nodes[0], net.nodes[1]
	market := openBazaar(net)
	session := market.open()
	first.untilHeight(claimsFrom(session))
	first.made(market.claim(0, session, 777))
	market.paidToTheUnit(claimed{session, []uint64{777}})

	forgetful.kill()
	if err := os.RemoveAll(filepath.Join(forgetful.home, "data", "application.db")); err != nil {
		t.Fatal(err)
	}
	forgetful.environment = otherwise
	forgetful.start()
	forgetful.untilHeight(settles(session) + 5)
	market.paidToTheUnit(claimed{session, []uint64{777}})

	late := joining(t, first)
	late.environment = otherwise
	late.start()
	net.nodes = append(net.nodes, late)
	height := first.height()
	late.untilHeight(height)
	net.agree(1, height)
	market.paidToTheUnit(claimed{session, []uint64{777}})
}
