package live

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// stillness is how long a chain makes no block that has halted.
const stillness = 5 * time.Second

// escrow is what an app has deposited.
type escrow struct {
	Escrow []struct{ Denom, Amount string }
}

func TestOneValidatorTakesMessagesAnswersQuestionsAndGoesOnAfterAKill(t *testing.T) {
	net := start(t, 1)
	node := net.nodes[0]
	node.untilHeight(2)
	account := node.account()

	if done := node.send("market", "deposit", "--coin", "5000ulode"); done.Code != 0 {
		t.Fatalf("a deposit is refused: %+v", done)
	}
	refused := node.send("market", "withdraw", "--coin", "5001ulode")
	if refused.Code != 17 || refused.Codespace != "lode" || !strings.HasSuffix(refused.RawLog, "deposit more") {
		t.Fatalf("more than there is was not refused as the library does: %+v", refused)
	}
	deposited := func() (answer escrow) {
		node.ask(&answer, "market", "app", account)
		return answer
	}
	if app := deposited(); len(app.Escrow) != 1 || app.Escrow[0].Amount != "5000" {
		t.Fatalf("the escrow is %+v", app)
	}
	var rest escrow
	if err := node.get(3, "/lode/market/v1/app?app="+account, &rest); err != nil || rest.Escrow[0].Amount != "5000" {
		t.Fatalf("REST says %+v, %v", rest, err)
	}
	if err := node.get(3, "/lode/market/v1/supplier?operator="+account, &rest); err == nil || !strings.Contains(err.Error(), "(lode 4)") {
		t.Fatalf("REST says of what is not there: %v", err)
	}

	servesRest(t, node)

	height := node.height()
	node.kill()
	node.start()
	node.untilHeight(height + 3)
	if app := deposited(); app.Escrow[0].Amount != "5000" {
		t.Fatalf("after a kill the escrow is %+v", app)
	}
	node.kill()
	exported(t, node)
}

// servesRest asks for what wallets and explorers ask for beside the market.
func servesRest(t *testing.T, node *node) {
	t.Helper()
	var seed struct{ Height string }
	if err := node.get(3, "/lode/beacon/v1/seed", &seed); err != nil || seed.Height == "" {
		t.Fatalf("REST says of the seed: %+v, %v", seed, err)
	}
	var shown struct {
		Metadata struct{ Display, Symbol string }
	}
	if err := node.get(3, "/cosmos/bank/v1beta1/denoms_metadata/ulode", &shown); err != nil || shown.Metadata.Symbol != "LODE" {
		t.Fatalf("REST says of the coin: %+v, %v", shown, err)
	}
}

// exported reads what another chain can begin with.
func exported(t *testing.T, node *node) {
	t.Helper()
	var genesis struct {
		AppState struct {
			Market escrow
			Beacon struct{ Last struct{ Outputs int } }
		} `json:"app_state"`
	}
	text := command(t, "export", "--home", node.home)
	if err := json.Unmarshal([]byte(text), &genesis); err != nil {
		t.Fatal(err)
	}
	if genesis.AppState.Market.Escrow[0].Amount != "5000" || genesis.AppState.Beacon.Last.Outputs != 1 {
		t.Fatalf("the export holds %+v", genesis)
	}
}

func TestThreeOfFourGoOnAndTheFourthComesBackToTheSameState(t *testing.T) {
	net := start(t, 4)
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	first, last := net.nodes[0], net.nodes[3]
	last.kill()
	down := first.height()
	if done := first.send("market", "deposit", "--coin", "7ulode"); done.Code != 0 {
		t.Fatalf("without the fourth a deposit is refused: %+v", done)
	}
	first.untilHeight(down + 5)
	last.start()
	last.untilHeight(first.height() + 2)
	height := last.height()
	for _, node := range net.nodes {
		node.untilHeight(height)
		if got, want := node.appHash(height), first.appHash(height); got != want {
			t.Fatalf("at height %d %s has the state %s, the first one %s", height, node.home, got, want)
		}
	}
	var seed struct{ Outputs int }
	first.until("a seed of all four", func() bool {
		first.ask(&seed, "beacon", "seed")
		return seed.Outputs == 4
	})
}

func TestTwoOfFourHaltAndGoOnTogether(t *testing.T) {
	net := start(t, 4)
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	net.nodes[2].kill()
	net.nodes[3].kill()
	first := net.nodes[0]
	var halted int64
	first.until("a halt", func() bool {
		halted = first.height()
		time.Sleep(stillness)
		return first.height() == halted
	})
	net.nodes[2].start()
	first.untilHeight(halted + 3)
}

func TestAValidatorWithAnotherKeyThanItRegisteredIsLeftOutOfSeedsOnly(t *testing.T) {
	net := start(t, 4)
	first, wrong := net.nodes[0], net.nodes[3]
	first.untilHeight(3)
	wrong.kill()
	path := wrong.home + "/config/beacon_key.json"
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	command(t, "beacon-key", "--home", wrong.home)
	wrong.start()
	first.untilHeight(first.height() + 5)
	var seed struct{ Outputs int }
	first.until("a seed of three", func() bool {
		first.ask(&seed, "beacon", "seed")
		return seed.Outputs == 3
	})
	net.nodes[1].kill()
	height := first.height()
	first.untilHeight(height + 3) // only with the vote of the validator that is left out
}
