package live

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
)

const (
	// sentEach is how many transactions each of four accounts sends as fast as it can.
	sentEach = 500
	// littleGas lets some thousands of transactions into a block.
	littleGas = 200_000
)

// How many transactions go through four validators on one machine, and what that costs them:
// `LODE_FIGURES=1 go test -count=1 -run Figures -v ./live`.
func TestFiguresOfFourValidators(t *testing.T) {
	if os.Getenv("LODE_FIGURES") == "" {
		t.Skip("LODE_FIGURES=1 measures")
	}
	net := start(t, 4)
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	t.Logf("before: %s", net.nodes[0].weight())
	for what, message := range map[string]func(*wallet) sdk.Msg{
		"deposits": func(w *wallet) sdk.Msg { return depositOf(w, 1) },
		"transfers": func(w *wallet) sdk.Msg {
			coins := sdk.NewCoins(sdk.NewInt64Coin("ulode", 1))
			return &banktypes.MsgSend{FromAddress: w.address, ToAddress: w.address, Amount: coins}
		},
	} {
		from, began := net.nodes[0].height(), time.Now()
		var all sync.WaitGroup
		for _, node := range net.nodes {
			sender := node.wallet()
			sender.gas = littleGas
			all.Go(func() {
				last := ""
				for range sentEach {
					last = sender.hand(message(sender))
				}
				net.nodes[0].made(last)
			})
		}
		all.Wait()
		took, count := time.Since(began), 4*sentEach
		t.Logf("%d %s in %.1f s and %d blocks: %.0f a second; %s", count, what, took.Seconds(),
			net.nodes[0].height()-from, float64(count)/took.Seconds(), net.nodes[0].weight())
	}
}

// weight is what a node takes of memory and of the disk.
func (n *node) weight() string {
	n.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.run.Process.Pid))
	if err != nil {
		return err.Error()
	}
	_, resident, _ := strings.Cut(string(status), "VmRSS:")
	resident, _, _ = strings.Cut(resident, "\n")
	text := "memory " + strings.TrimSpace(resident)
	for _, store := range []string{"blockstore.db", "application.db", "state.db", "tx_index.db"} {
		var bytes int64
		err := filepath.WalkDir(filepath.Join(n.home, "data", store), func(_ string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil // It was compacted away.
			}
			if info, err := entry.Info(); err == nil && !entry.IsDir() {
				bytes += info.Size()
			}
			return nil
		})
		if err != nil {
			return err.Error()
		}
		text += fmt.Sprintf(", %s %d kB", store, bytes/1_000)
	}
	return text
}
