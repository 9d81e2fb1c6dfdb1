package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A node that comes late takes a snapshot of the state, and none of the blocks before it.
func TestANodeJoinsByStateSync(t *testing.T) {
	net := layOut(t, 4)
	late := net.nodes[3]
	for _, node := range net.nodes[:3] {
		node.flags = []string{"--state-sync.snapshot-interval", "10"}
		node.start()
	}
	first := net.nodes[0]
	first.untilHeight(3)
	if done := first.send("market", "deposit", "--coin", "5000ulode"); done.Code != 0 {
		t.Fatalf("a deposit is refused: %+v", done)
	}
	first.untilHeight(35)
	late.trust(first, net.nodes[1])
	late.start()
	late.untilHeight(first.height() + 2)
	height := late.height()
	first.untilHeight(height)
	if got, want := late.appHash(height), first.appHash(height); got != want {
		t.Fatalf("at height %d the late one has the state %s, the first one %s", height, got, want)
	}
	if late.get(1, "/block?height=5", new(block)) == nil {
		t.Fatal("the late one has a block from before its snapshot")
	}
	var app escrow
	late.ask(&app, "market", "app", first.account())
	if app.Escrow[0].Amount != "5000" {
		t.Fatalf("the late one's escrow is %+v", app)
	}
}

// trust lets a node begin with a snapshot, checked against two others.
func (n *node) trust(one, two *node) {
	n.t.Helper()
	const height = 5
	var told struct {
		Result struct {
			BlockID struct{ Hash string } `json:"block_id"`
		}
	}
	if err := one.get(1, fmt.Sprintf("/block?height=%d", height), &told); err != nil {
		n.t.Fatal(err)
	}
	path := filepath.Join(n.home, "config", "config.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		n.t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "[statesync]")
	if !found {
		n.t.Fatalf("%s has no part on state sync", path)
	}
	servers := fmt.Sprintf("http://127.0.0.1:%d,http://127.0.0.1:%d", one.port+1, two.port+1)
	for name, value := range map[string]string{
		"enable":         "true",
		"rpc_servers":    fmt.Sprintf("%q", servers),
		"trust_height":   fmt.Sprint(height),
		"trust_hash":     fmt.Sprintf("%q", told.Result.BlockID.Hash),
		"discovery_time": `"5s"`,
	} {
		after = set(after, name, value)
	}
	if err := os.WriteFile(path, []byte(before+"[statesync]"+after), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// set changes the first setting of a name.
func set(text, name, value string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, name+" =") {
			lines[i] = name + " = " + value
			break
		}
	}
	return strings.Join(lines, "\n")
}
