// Package live runs networks of true processes: `./build` must have made bin/loded.
package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	binary  = "../bin/loded"
	chainID = "lode-live"
	// patience is how long a test waits for what must come, on a machine that does other things.
	patience = 60 * time.Second
)

// network is some validators on this machine.
type network struct {
	t     *testing.T
	nodes []*node
}

// node is one process with its home.
type node struct {
	t      *testing.T
	binary string
	// flags are given to `start` beside the home.
	flags []string
	// environment is what the process is told beside this one's.
	environment []string
	home        string
	port        int
	run         *exec.Cmd
}

// start lays out a network and starts its nodes.
func start(t *testing.T, validators int) *network {
	t.Helper()
	made := layOut(t, validators)
	made.start()
	return made
}

func (n *network) start() {
	for _, one := range n.nodes {
		one.start()
	}
}

// layOut makes the files of a network. Tests with networks run beside each other: most of their time
// they wait.
func layOut(t *testing.T, validators int) *network {
	t.Helper()
	t.Parallel()
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%s is not there: run ./build first", binary)
	}
	folder := filepath.Join(t.TempDir(), "net")
	first := freePorts(t, 4*validators)
	command(t, "testnet", "--validators", strconv.Itoa(validators), "--output-dir", folder, "--chain-id", chainID,
		"--block-time", "200ms", "--first-port", strconv.Itoa(first))
	made := &network{t: t}
	for i := range validators {
		one := &node{t: t, binary: binary, home: filepath.Join(folder, fmt.Sprintf("node%d", i)), port: first + 4*i}
		made.nodes = append(made.nodes, one)
	}
	t.Cleanup(func() {
		for _, one := range made.nodes {
			one.kill()
			if t.Failed() {
				t.Logf("the log of %s ends with:\n%s", one.home, one.logEnd())
			}
		}
	})
	return made
}

// portsGiven is the first port that this process has given to nobody.
var portsGiven = struct {
	sync.Mutex
	next int
}{next: 20_000 + os.Getpid()%20_000}

// freePorts is the first of some ports in a row that nobody listens on, and that no other test has.
func freePorts(t *testing.T, count int) int {
	t.Helper()
	portsGiven.Lock()
	defer portsGiven.Unlock()
	for first := portsGiven.next; first < 60_000; first += count {
		if allFree(first, count) {
			portsGiven.next = first + count
			return first
		}
	}
	t.Fatalf("no %d free ports in a row", count)
	return 0
}

func allFree(first, count int) bool {
	for port := first; port < first+count; port++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}

func (n *node) start() {
	n.t.Helper()
	log, err := os.OpenFile(filepath.Join(n.home, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	n.run = exec.Command(n.binary, append([]string{"start", "--log_no_color", "--home", n.home}, n.flags...)...)
	n.run.Env = append(os.Environ(), n.environment...)
	n.run.Stdout, n.run.Stderr = log, log
	if err := n.run.Start(); err != nil {
		n.t.Fatal(err)
	}
}

// kill ends a node as a power cut would.
func (n *node) kill() {
	if n.run != nil {
		_ = n.run.Process.Signal(syscall.SIGKILL)
		_ = n.run.Wait()
		n.run = nil
	}
}

func (n *node) log() string {
	text, err := os.ReadFile(filepath.Join(n.home, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// logEnd is what a failed test shows.
func (n *node) logEnd() string {
	log := n.log()
	return log[max(0, len(log)-4_000):]
}

// get asks a node's RPC (offset 1) or REST (offset 3), and reads the answer into `into`.
func (n *node) get(offset int, path string, into any) error {
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d%s", n.port+offset, path))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, response.Status, text)
	}
	return json.Unmarshal(text, into)
}

// height is the last that a node has executed; 0 while it cannot be reached. Its status would tell of
// a block that is kept, but not executed yet.
func (n *node) height() int64 {
	var info struct {
		Result struct {
			Response struct {
				Height string `json:"last_block_height"`
			}
		}
	}
	if n.get(1, "/abci_info", &info) != nil {
		return 0
	}
	height, err := strconv.ParseInt(info.Result.Response.Height, 10, 64)
	if err != nil {
		return 0
	}
	return height
}

// block is the part of a node's block that tests look at.
type block struct {
	Result struct {
		Block struct {
			Header struct {
				AppHash string `json:"app_hash"`
			}
		}
	}
}

func (n *node) appHash(height int64) string {
	n.t.Helper()
	var told block
	if err := n.get(1, fmt.Sprintf("/block?height=%d", height), &told); err != nil {
		n.t.Fatal(err)
	}
	return told.Result.Block.Header.AppHash
}

// until waits for what must come.
func (n *node) until(what string, came func() bool) {
	n.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if came() {
			return
		}
	}
	n.t.Fatalf("%s: %s did not come within %s", n.home, what, patience)
}

func (n *node) untilHeight(height int64) {
	n.t.Helper()
	n.until(fmt.Sprintf("height %d", height), func() bool { return n.height() >= height })
}

// ask runs a query command of a node and reads its answer.
func (n *node) ask(into any, arguments ...string) {
	n.t.Helper()
	arguments = append(append([]string{"query"}, arguments...), "--node", n.rpc(), "--output", "json")
	if err := json.Unmarshal([]byte(command(n.t, arguments...)), into); err != nil {
		n.t.Fatal(err)
	}
}

// result is what became of a transaction.
type result struct {
	TxHash    string
	Code      uint32
	Codespace string
	RawLog    string `json:"raw_log"`
}

// send signs a transaction as the node's validator, and waits until it is in a block.
func (n *node) send(arguments ...string) result {
	n.t.Helper()
	arguments = append(append([]string{"tx"}, arguments...),
		"--home", n.home, "--keyring-backend", "test", "--from", "validator", "--chain-id", chainID, "--node", n.rpc(),
		"--gas", "500000", "--fees", "1000ulode", "--yes", "--output", "json")
	var sent result
	if err := json.Unmarshal([]byte(command(n.t, arguments...)), &sent); err != nil {
		n.t.Fatal(err)
	}
	if sent.Code != 0 {
		return sent
	}
	n.until("transaction "+sent.TxHash, func() bool {
		told, err := run("query", "tx", sent.TxHash, "--node", n.rpc(), "--output", "json")
		return err == nil && json.Unmarshal([]byte(told), &sent) == nil
	})
	return sent
}

// made waits until transactions are in blocks, where they must have succeeded.
func (n *node) made(hashes ...string) {
	n.t.Helper()
	for _, hash := range hashes {
		var told struct {
			Result struct {
				TxResult struct {
					Code uint32
					Log  string
				} `json:"tx_result"`
			}
		}
		n.until("transaction "+hash, func() bool { return n.get(1, "/tx?hash=0x"+hash, &told) == nil })
		if told.Result.TxResult.Code != 0 {
			n.t.Fatalf("a transaction failed: %+v", told)
		}
	}
}

func (n *node) account() string {
	n.t.Helper()
	return strings.TrimSpace(command(n.t, "keys", "show", "validator", "--address", "--home", n.home, "--keyring-backend", "test"))
}

func (n *node) rpc() string { return fmt.Sprintf("tcp://127.0.0.1:%d", n.port+1) }

// command runs loded, which must succeed.
func command(t *testing.T, arguments ...string) string {
	t.Helper()
	told, err := run(arguments...)
	if err != nil {
		t.Fatalf("loded %s: %s", strings.Join(arguments, " "), err)
	}
	return told
}

func run(arguments ...string) (string, error) {
	told, err := exec.Command(binary, arguments...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return string(told), err
}
