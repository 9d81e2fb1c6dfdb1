package live

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// kills is how often a node is killed: LODE_KILLS, or a few.
func kills(t *testing.T) int {
	t.Helper()
	text, found := os.LookupEnv("LODE_KILLS")
	if !found {
		return 5
	}
	count, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("LODE_KILLS: %s", err)
	}
	return count
}

// Whichever node is killed at whatever moment, the chain goes on, all come back to one state, and
// what was deposited is there.
func TestKillsAtAnyMomentLoseNothing(t *testing.T) {
	net := start(t, 4)
	sender := net.nodes[0]
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	deposited := 0
	for range kills(t) {
		victim := net.nodes[1+dice.IntN(3)]
		time.Sleep(time.Duration(dice.IntN(600)) * time.Millisecond)
		victim.kill()
		if done := sender.send("market", "deposit", "--coin", "7ulode"); done.Code != 0 {
			t.Fatalf("a deposit is refused: %+v", done)
		}
		deposited += 7
		time.Sleep(time.Duration(dice.IntN(1_000)) * time.Millisecond)
		victim.start()
		victim.untilHeight(sender.height())
	}
	height := sender.height()
	for _, node := range net.nodes {
		node.untilHeight(height)
		if got, want := node.appHash(height), sender.appHash(height); got != want {
			t.Fatalf("at height %d %s has the state %s, the first one %s", height, node.home, got, want)
		}
		var app escrow
		node.ask(&app, "market", "app", sender.account())
		if app.Escrow[0].Amount != fmt.Sprint(deposited) {
			t.Fatalf("%s knows of %+v, not of %d", node.home, app, deposited)
		}
	}
}
