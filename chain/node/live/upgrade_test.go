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
)

const plan = "another"

// A vote stops all nodes at one height; the build that knows the upgrade goes on from there.
func TestAnUpgradeThatWasVotedOnIsMadeByTheNextBuild(t *testing.T) {
	next := buildNext(t)
	net := start(t, 1)
	node := net.nodes[0]
	node.untilHeight(2)
	if done := node.send("market", "deposit", "--coin", "5000ulode"); done.Code != 0 {
		t.Fatalf("a deposit is refused: %+v", done)
	}
	height := node.height() + 100
	if done := node.send("gov", "submit-proposal", proposal(t, node, height)); done.Code != 0 {
		t.Fatalf("the proposal is refused: %+v", done)
	}
	if done := node.send("gov", "vote", "1", "yes"); done.Code != 0 {
		t.Fatalf("the vote is refused: %+v", done)
	}
	needed := fmt.Sprintf(`UPGRADE \"%s\" NEEDED at height: %d`, plan, height)
	node.until("the halt", func() bool { return strings.Contains(node.log(), needed) })
	node.kill()
	node.binary = next
	node.start()
	node.untilHeight(height + 3)
	var app escrow
	node.ask(&app, "market", "app", node.account())
	if app.Escrow[0].Amount != "5000" {
		t.Fatalf("after the upgrade the escrow is %+v", app)
	}
	var applied struct{ Height string }
	node.ask(&applied, "upgrade", "applied", plan)
	if applied.Height != strconv.FormatInt(height, 10) {
		t.Fatalf("it was made at %s, not at %d", applied.Height, height)
	}
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
