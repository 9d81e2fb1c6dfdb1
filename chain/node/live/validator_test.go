package live

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who was not there at the beginning joins, stakes, registers a key, and takes part in seeds: the
// steps of docs/node.md.
func TestAStrangerBecomesAValidator(t *testing.T) {
	net := start(t, 1)
	first := net.nodes[0]
	first.untilHeight(3)
	stranger := join(t, first)
	stranger.untilHeight(first.height())

	command(t, "keys", "add", "validator", "--home", stranger.home, "--keyring-backend", "test")
	account := stranger.account()
	if done := first.send("bank", "send", "validator", account, "200000000000ulode"); done.Code != 0 {
		t.Fatalf("no coins came: %+v", done)
	}
	stranger.untilHeight(first.height())
	if done := stranger.send("staking", "create-validator", validatorFile(t, stranger)); done.Code != 0 {
		t.Fatalf("no validator was made: %+v", done)
	}
	key := strings.TrimSpace(command(t, "beacon-key", "--home", stranger.home))
	if done := stranger.send("beacon", "register-key", key); done.Code != 0 {
		t.Fatalf("the key was not registered: %+v", done)
	}
	var seed struct{ Outputs int }
	first.until("a seed of both", func() bool {
		first.ask(&seed, "beacon", "seed")
		return seed.Outputs == 2
	})
	// A key of nobody is refused, and so is another while one is on its way.
	if done := first.send("beacon", "register-key", key[2:]); done.Code != 3 || done.Codespace != "beacon" {
		t.Fatalf("a short key: %+v", done)
	}
}

// join starts a node beside another.
func join(t *testing.T, other *node) *node {
	t.Helper()
	made := joining(t, other)
	made.start()
	return made
}

// joining makes a node's files from the network's genesis, to be started beside another.
func joining(t *testing.T, other *node) *node {
	t.Helper()
	port := freePorts(t, 4)
	made := &node{t: t, binary: binary, home: filepath.Join(t.TempDir(), "stranger"), port: port}
	command(t, "init", "stranger", "--chain-id", chainID, "--home", made.home)
	genesis, err := os.ReadFile(filepath.Join(other.home, "config", "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(made.home, "config", "genesis.json"), genesis, 0o600); err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(command(t, "comet", "show-node-id", "--home", other.home))
	made.flags = []string{
		"--p2p.persistent_peers", fmt.Sprintf("%s@127.0.0.1:%d", id, other.port),
		"--p2p.laddr", fmt.Sprintf("tcp://127.0.0.1:%d", port),
		"--rpc.laddr", made.rpc(),
		"--grpc.address", fmt.Sprintf("127.0.0.1:%d", port+2),
	}
	t.Cleanup(made.kill)
	return made
}

func validatorFile(t *testing.T, node *node) string {
	t.Helper()
	var key any
	if err := json.Unmarshal([]byte(command(t, "comet", "show-validator", "--home", node.home)), &key); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"pubkey": key, "amount": "50000000000ulode", "moniker": "stranger", "commission-rate": "0.05",
		"commission-max-rate": "0.2", "commission-max-change-rate": "0.01", "min-self-delegation": "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "validator.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
