package app

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// statesFile names where the states of all chains of these tests go, one a line; empty for nowhere.
const statesFile = "LODE_STATES"

var remembering sync.Mutex

// remember keeps the state after a block of a test's chain.
func remember(t testing.TB, state []byte) {
	path := os.Getenv(statesFile)
	if path == "" {
		return
	}
	remembering.Lock()
	defer remembering.Unlock()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, "%s %x\n", t.Name(), state); err != nil {
		t.Fatal(err)
	}
}

// Nothing of a state depends on how many threads there are, when garbage is collected, or in which
// order a process walks over its maps: Go and Rust draw that anew for each process.
func TestEachChainOfTheseTestsComesToTheSameStatesInOtherProcesses(t *testing.T) {
	if os.Getenv(statesFile) != "" {
		return
	}
	if testing.Short() {
		t.Skip("all tests twice more are not short")
	}
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-time.Second))
		defer cancel()
	}
	ways := [][]string{{"GOMAXPROCS=1", "GOGC=400"}, {fmt.Sprintf("GOMAXPROCS=%d", 4*runtime.NumCPU()), "GOGC=20"}}
	states := make([][]string, len(ways))
	var all sync.WaitGroup
	for i, way := range ways {
		path := filepath.Join(t.TempDir(), "states")
		again := exec.CommandContext(ctx, os.Args[0], "-test.run", "^Test", "-test.parallel", "1")
		again.Env = append(append(os.Environ(), statesFile+"="+path), way...)
		all.Go(func() {
			if said, err := again.CombinedOutput(); err != nil {
				t.Errorf("%v: %s: %s", way, err, said)
				return
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Error(err)
			}
			states[i] = strings.Split(string(text), "\n")
		})
	}
	all.Wait()
	if len(states[0]) < 100 {
		t.Fatalf("%d states were kept", len(states[0]))
	}
	// Some tests have their cases in no order.
	slices.Sort(states[0])
	slices.Sort(states[1])
	for i, state := range states[0] {
		if i >= len(states[1]) || states[1][i] != state {
			t.Fatalf("of %v, a state is %s, and %v has none like it", ways[0], state, ways[1])
		}
	}
}
