package live

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	markettypes "lode/x/market/types"
)

const plan = "another"

const (
	// blocksToVote are as many as a vote takes, and the market needs until it is busy.
	blocksToVote = 100
	// busyFrom is how long before the upgrade the first session opens, so that its claims are taken
	// before and after it; in the last blocks before it opens another.
	busyFrom, lastFrom = 36, 10
)

// A vote stops all nodes at one height; the build that knows the upgrade goes on from there. A session
// whose claims are taken and one that is served, with a locked budget, are settled as if nothing were.
func TestAnUpgradeThatWasVotedOnIsMadeByTheNextBuild(t *testing.T) {
	next := buildNext(t)
	net := start(t, 3)
	first := net.nodes[0]
	first.untilHeight(3)
	height := voted(t, net)
	market := openBazaar(net)
	first.untilHeight(height - busyFrom)
	before := market.open()
	first.untilHeight(claimsFrom(before))
	first.made(market.claim(0, before, 10))
	first.untilHeight(height - lastFrom)
	during := market.open()

	needed := fmt.Sprintf(`UPGRADE \"%s\" NEEDED at height: %d`, plan, height)
	for _, node := range net.nodes {
		node.until("the halt", func() bool { return strings.Contains(node.log(), needed) })
		node.kill()
		node.binary = next
	}
	net.start()
	first.untilHeight(height + 1)
	for _, session := range []*markettypes.Session{before, during} {
		var after markettypes.Session
		first.question("Session", &markettypes.QuerySession{Id: session.Id}, &after)
		if after.String() != session.String() {
			t.Errorf("a session was %s, and is %s", session, &after)
		}
	}
	first.made(market.claim(1, before, 333))
	first.untilHeight(claimsFrom(during))
	first.made(market.claim(0, during, 2_000), market.claim(1, during, 7))
	market.paidToTheUnit(claimed{before, []uint64{10, 333}}, claimed{during, []uint64{2_000, 7}})

	var applied struct{ Height string }
	first.ask(&applied, "upgrade", "applied", plan)
	if applied.Height != strconv.FormatInt(height, 10) {
		t.Fatalf("it was made at %s, not at %d", applied.Height, height)
	}
	net.agree(height-2, height+5)
}

// voted has all validators agree to an upgrade, at the height that it gives.
func voted(t *testing.T, net *network) (height int64) {
	t.Helper()
	first := net.nodes[0]
	height = first.height() + blocksToVote
	if done := first.send("gov", "submit-proposal", proposal(t, first, height)); done.Code != 0 {
		t.Fatalf("the proposal is refused: %+v", done)
	}
	for _, node := range net.nodes {
		if done := node.send("gov", "vote", "1", "yes"); done.Code != 0 {
			t.Fatalf("the vote is refused: %+v", done)
		}
	}
	return height
}

// buildNext makes a node that knows one upgrade more.
func buildNext(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "loded")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X lode/app.More="+plan, "-o", out, "../cmd/loded")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %s", err, said)
	}
	return out
}

// proposal writes one that halts the chain at a height, to be voted on quickly.
func proposal(t *testing.T, node *node, height int64) string {
	t.Helper()
	var gov struct {
		Account struct{ Value struct{ Address string } }
	}
	node.ask(&gov, "auth", "module-account", "gov")
	text, err := json.Marshal(map[string]any{
		"messages": []any{map[string]any{
			"@type":     "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade",
			"authority": gov.Account.Value.Address,
			"plan":      map[string]any{"name": plan, "height": strconv.FormatInt(height, 10)},
		}},
		"deposit": "50000000ulode", "title": "Upgrade", "summary": "To another version", "expedited": true,
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "proposal.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
