package live

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cmtdb "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/proxy"
	rpc "github.com/cometbft/cometbft/rpc/client/http"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/spf13/viper"

	abci "github.com/cometbft/cometbft/abci/types"

	"cosmossdk.io/log"
	dbm "github.com/cosmos/cosmos-db"

	"github.com/cosmos/cosmos-sdk/baseapp"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/server"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"lode/app"
)

// stakeOf is what `loded testnet` stakes for each validator, and afterCut what is left of it when a
// twentieth was taken: the SDK's own fraction for two votes at one height.
const (
	stakeOf  = "100000000000"
	afterCut = "95000000000"
)

// standing is what the chain has of a validator.
type standing struct {
	Jailed     bool
	Tokens     string
	Tombstoned bool
}

// standings are those of all validators, by their moniker.
func (n *node) standings() map[string]standing {
	n.t.Helper()
	var told struct {
		Validators []struct {
			Jailed          bool
			Tokens          string
			ConsensusPubkey struct{ Key string } `json:"consensus_pubkey"`
			Description     struct{ Moniker string }
		}
	}
	var signing struct {
		Info []struct {
			Address    string
			Tombstoned bool
		}
	}
	if err := n.get(3, "/cosmos/staking/v1beta1/validators", &told); err != nil {
		n.t.Fatal(err)
	}
	if err := n.get(3, "/cosmos/slashing/v1beta1/signing_infos", &signing); err != nil {
		n.t.Fatal(err)
	}
	tombstoned := 0
	for _, one := range signing.Info {
		if one.Tombstoned {
			tombstoned++
		}
	}
	all := map[string]standing{}
	for _, one := range told.Validators {
		// Only who is jailed can be tombstoned; the tests have one of them.
		all[one.Description.Moniker] = standing{one.Jailed, one.Tokens, one.Jailed && tombstoned == 1}
	}
	return all
}

// punished waits until the last validator has lost its place for good and a part of its stake, on
// all nodes alike; the others have lost nothing and go on.
func (n *network) punished() {
	n.t.Helper()
	first := n.nodes[0]
	last := fmt.Sprintf("node%d", len(n.nodes)-1)
	first.until("the punishment", func() bool { return first.standings()[last].Jailed })
	height := first.height()
	for i, node := range n.nodes {
		node.untilHeight(height + 3)
		for name, found := range node.standings() {
			want := standing{Tokens: stakeOf}
			if name == last {
				want = standing{Jailed: true, Tokens: afterCut, Tombstoned: true}
			}
			if found != want {
				n.t.Errorf("node%d has %+v of %s, not %+v", i, found, name, want)
			}
		}
	}
	n.agree(height, height+3)
}

// Two votes of one validator for two blocks of one height: whoever has both hands them in.
func TestWhoSignsTwoBlocksOfOneHeightLosesItsPlaceAndAPartOfItsStake(t *testing.T) {
	net := start(t, 4)
	first, liar := net.nodes[0], net.nodes[3]
	for _, node := range net.nodes {
		node.untilHeight(5)
	}
	there, err := rpc.New(fmt.Sprintf("http://127.0.0.1:%d", first.port+1), "/websocket")
	if err != nil {
		t.Fatal(err)
	}
	evidence := twoVotes(t, there, liar, 3)
	if _, err := there.BroadcastEvidence(context.Background(), evidence); err != nil {
		t.Fatalf("the evidence is refused: %s", err)
	}
	net.punished()
	wallet := first.wallet()
	wallet.do(depositOf(wallet, 5))

	// What a key has not signed is no evidence against it.
	forged := twoVotes(t, there, net.nodes[1], 4)
	forged.VoteB.Signature[0] ^= 1
	if _, err := there.BroadcastEvidence(context.Background(), forged); err == nil {
		t.Fatal("a forged vote is taken for evidence")
	}
}

// twoVotes are precommits of a node's key for two blocks of a height.
func twoVotes(t *testing.T, there *rpc.HTTP, liar *node, height int64) *cmttypes.DuplicateVoteEvidence {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	key := privval.LoadFilePV(filepath.Join(liar.home, "config/priv_validator_key.json"), filepath.Join(liar.home, "data/priv_validator_state.json")).Key
	told, err := there.Validators(ctx, &height, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := cmttypes.NewValidatorSet(told.Validators)
	block, err := there.Block(ctx, &height)
	if err != nil {
		t.Fatal(err)
	}
	index, _ := set.GetByAddress(key.Address)
	vote := func(content string) *cmttypes.Vote {
		hash := tmhash.Sum([]byte(content))
		made := &cmttypes.Vote{
			Type: cmtproto.PrecommitType, Height: height, Timestamp: block.Block.Time,
			BlockID:          cmttypes.BlockID{Hash: hash, PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: hash}},
			ValidatorAddress: key.Address, ValidatorIndex: index,
		}
		if made.Signature, err = key.PrivKey.Sign(cmttypes.VoteSignBytes(chainID, made.ToProto())); err != nil {
			t.Fatal(err)
		}
		return made
	}
	evidence, err := cmttypes.NewDuplicateVoteEvidence(vote("one block"), vote("another"), block.Block.Time, set)
	if err != nil {
		t.Fatal(err)
	}
	return evidence
}

// One key in two running nodes: the second is in such haste that it votes for nothing where the
// first votes for a block.
func TestAKeyThatRunsInTwoNodesIsFoundOut(t *testing.T) {
	net := start(t, 4)
	first, owner := net.nodes[0], net.nodes[3]
	for _, node := range net.nodes {
		node.untilHeight(3)
	}
	twin := joining(t, first)
	if err := os.WriteFile(filepath.Join(twin.home, "config/priv_validator_key.json"), []byte(owner.file("priv_validator_key.json")), 0o600); err != nil {
		t.Fatal(err)
	}
	twin.configure("timeout_propose", `"1ms"`)
	twin.configure("timeout_commit", `"0s"`)
	twin.start()
	net.punished()
}

// A validator that adds garbage to its votes is not heard, neither in seeds nor as a proposer; the
// others go on without it.
func TestAValidatorWhoseVotesSayGarbageIsNotHeard(t *testing.T) {
	net := layOut(t, 4)
	for _, node := range net.nodes[:3] {
		node.start()
	}
	liar := lie(t, net.nodes[3])
	first := net.nodes[0]
	first.untilHeight(12)
	var seed struct{ Outputs int }
	first.until("a seed of three", func() bool {
		first.ask(&seed, "beacon", "seed")
		return seed.Outputs == 3
	})
	for _, node := range net.nodes[:3] {
		node.until("a refused vote", func() bool { return strings.Contains(node.log(), "a vote's extension is refused") })
	}
	height := first.height()
	for _, node := range net.nodes[:3] {
		node.untilHeight(height)
	}
	if liar.BlockStore().Height() < height-3 {
		t.Errorf("the liar itself has come to %d, the others to %d", liar.BlockStore().Height(), height)
	}
	wallet := first.wallet()
	wallet.do(depositOf(wallet, 5))
}

// liar is the application of a validator that extends its votes by garbage.
type liar struct{ *app.App }

func (liar) ExtendVote(context.Context, *abci.RequestExtendVote) (*abci.ResponseExtendVote, error) {
	return &abci.ResponseExtendVote{VoteExtension: []byte(strings.Repeat("garbage", 20))}, nil
}

// keptOpen is a database that its node cannot close.
type keptOpen struct{ cmtdb.DB }

func (keptOpen) Close() error { return nil }

// keepOpen gives a node databases that stay open: its reactors read them for a moment after it stopped.
func keepOpen(ctx *cmtcfg.DBContext) (cmtdb.DB, error) {
	db, err := cmtcfg.DefaultDBProvider(ctx)
	return keptOpen{db}, err
}

// lie runs a node's home in this process, with the lying application.
func lie(t *testing.T, node *node) *cmtnode.Node {
	t.Helper()
	files := viper.New()
	files.SetConfigFile(filepath.Join(node.home, "config/config.toml"))
	config := cmtcfg.DefaultConfig()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(files.ReadInConfig())
	must(files.Unmarshal(config))
	config.SetRoot(node.home)
	genesis, err := genutiltypes.AppGenesisFromFile(config.GenesisFile())
	must(err)
	options := simtestutil.AppOptionsMap{flags.FlagHome: node.home}
	made, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), nil, true, options, baseapp.SetChainID(genesis.ChainID))
	must(err)
	key, err := p2p.LoadNodeKey(config.NodeKeyFile())
	must(err)
	running, err := cmtnode.NewNode(config,
		privval.LoadFilePV(config.PrivValidatorKeyFile(), config.PrivValidatorStateFile()), key,
		proxy.NewLocalClientCreator(server.NewCometABCIWrapper(liar{made})),
		genesis.ToGenesisDoc, keepOpen, cmtnode.DefaultMetricsProvider(config.Instrumentation), cmtlog.NewNopLogger())
	must(err)
	must(running.Start())
	t.Cleanup(func() {
		_ = running.Stop()
		running.Wait()
	})
	return running
}
