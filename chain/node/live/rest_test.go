package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ofBrowser asks as a page of another place does.
func (n *node) ofBrowser(offset int, path string) (status int, origin, text string) {
	n.t.Helper()
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", n.port+offset, path), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	request.Header.Set("Origin", "http://localhost:5173")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Access-Control-Allow-Origin"), string(body)
}

func TestEachRouteThatThePageDescribesIsServedToBrowsers(t *testing.T) {
	node := start(t, 1).nodes[0]
	node.untilHeight(2)
	if status, _, _ := node.ofBrowser(3, "/swagger/"); status != http.StatusOK {
		t.Errorf("the page is answered by %d", status)
	}
	if status, origin, text := node.ofBrowser(1, "/status"); status != http.StatusOK || origin == "" {
		t.Errorf("RPC: %d, for %q: %s", status, origin, text)
	}
	_, _, description := node.ofBrowser(3, "/swagger/lode.json")
	var described struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(description), &described); err != nil || len(described.Paths) == 0 {
		t.Fatalf("%s: %v", description, err)
	}
	for path := range described.Paths {
		status, origin, text := node.ofBrowser(3, path)
		if status == http.StatusNotImplemented || status >= http.StatusInternalServerError || origin != "*" {
			t.Errorf("%s: %d, for %q: %s", path, status, origin, text)
		}
	}
}

// What is larger than a block is not read to its end, and the node goes on.
func TestARequestThatIsTooLargeIsRefusedAndTheNodeGoesOn(t *testing.T) {
	node := start(t, 1).nodes[0]
	node.untilHeight(2)
	for _, size := range []int{2 << 20, 64 << 20} {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"broadcast_tx_sync","params":{"tx":%q}}`, strings.Repeat("A", size))
		response, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d", node.port+1), "application/json", strings.NewReader(body))
		if err != nil {
			continue // It hung up before it had read all.
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && !strings.Contains(string(text), "error") {
			t.Errorf("%d bytes are answered by %s: %.300s", size, response.Status, text)
		}
	}
	node.untilHeight(node.height() + 2)
	wallet := node.wallet()
	wallet.do(depositOf(wallet, 5))
}
