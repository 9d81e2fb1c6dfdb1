package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	"github.com/cosmos/cosmos-sdk/x/genutil"

	"lode/app"
)

// validatorsMax bounds a network on one machine.
const validatorsMax = 16

// portsEach are the ports that one node has: p2p, rpc, grpc, api.
const portsEach = 4

// localBlockTime is short: nodes of one machine are quick, and people wait.
const localBlockTime = time.Second

// gossip is how soon nodes of one machine talk to each other: they are not far.
const gossip = 10 * time.Millisecond

// network is what a local network is made of.
type network struct {
	validators int
	folder     string
	chainID    string
	blockTime  time.Duration
	firstPort  int
	funded     []string
	others     string
}

// node is one of its validators, with its files laid out.
type node struct {
	config  *cmtcfg.Config
	port    int
	peer    string
	account sdk.AccAddress
	key     cryptotypes.PubKey
	beacon  []byte
	ring    keyring.Keyring
}

// testnetCommand lays out the files of a network on this machine.
func testnetCommand(basics module.BasicManager) *cobra.Command {
	var net network
	command := &cobra.Command{
		Use:   "testnet",
		Short: "Lay out the files of a network on this machine",
		Long: "Lay out the files of a network on this machine: a home for each validator, with all keys, and one\n" +
			"genesis with short market windows. Start each with: loded start --home <folder>/node<i>",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return net.layOut(command, client.GetClientContextFromCmd(command), basics)
		},
	}
	flags := command.Flags()
	flags.IntVar(&net.validators, "validators", 1, fmt.Sprintf("how many, %d at most", validatorsMax))
	flags.StringVarP(&net.folder, "output-dir", "o", "testnet", "where the nodes' homes go")
	flags.StringVar(&net.chainID, "chain-id", "lode-local", "the network's name")
	flags.DurationVar(&net.blockTime, "block-time", localBlockTime, "how long validators wait after a block")
	flags.IntVar(&net.firstPort, "first-port", 26656, fmt.Sprintf("node i has %d ports from here + %d i: p2p, rpc, grpc, api", portsEach, portsEach))
	flags.StringSliceVar(&net.funded, "fund", nil, "accounts that begin with coins")
	flags.StringVar(&net.others, "coins", "", "coins that each of these and each validator has beside "+app.Denom+", like 1000000uusd")
	return command
}

func (n network) layOut(command *cobra.Command, ctx client.Context, basics module.BasicManager) error {
	if n.validators < 1 || n.validators > validatorsMax {
		return fmt.Errorf("a network on one machine has 1 to %d validators, not %d", validatorsMax, n.validators)
	}
	if _, err := os.Stat(n.folder); err == nil {
		return fmt.Errorf("%s is there already: a network's keys are never overwritten", n.folder)
	}
	nodes := make([]node, 0, n.validators)
	for i := range n.validators {
		made, err := n.node(ctx, i)
		if err != nil {
			return err
		}
		nodes = append(nodes, made)
	}
	genesis, err := n.genesis(command, ctx, basics, nodes)
	if err != nil {
		return err
	}
	for _, made := range nodes {
		made.config.P2P.PersistentPeers = peersOf(made, nodes)
		cmtcfg.WriteConfigFile(filepath.Join(made.config.RootDir, "config", "config.toml"), made.config)
		if err := genesis.SaveAs(made.config.GenesisFile()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(command.OutOrStdout(), "%d validators of %s lie in %s; the first one's RPC will be http://127.0.0.1:%d\n",
		n.validators, n.chainID, n.folder, nodes[0].port+1)
	return err
}

// node lays out one home: keys, and how the node is reached.
func (n network) node(ctx client.Context, i int) (node, error) {
	made := node{config: cometConfig(), port: n.firstPort + portsEach*i}
	home := filepath.Join(n.folder, fmt.Sprintf("node%d", i))
	made.config.SetRoot(home)
	cmtcfg.EnsureRoot(home)
	n.configure(made.config, made.port, i)
	id, key, err := genutil.InitializeNodeValidatorFiles(made.config)
	if err != nil {
		return node{}, err
	}
	made.key, made.peer = key, fmt.Sprintf("%s@127.0.0.1:%d", id, made.port)
	beacon, err := app.CreateSecret(home)
	if err != nil {
		return node{}, err
	}
	made.beacon = beacon[:]
	if made.ring, err = keyring.New(app.Name, keyring.BackendTest, home, nil, ctx.Codec); err != nil {
		return node{}, err
	}
	record, _, err := made.ring.NewMnemonic(validatorKey, keyring.English, sdk.FullFundraiserPath, "", hd.Secp256k1)
	if err != nil {
		return node{}, err
	}
	if made.account, err = record.GetAddress(); err != nil {
		return node{}, err
	}
	config := appConfig()
	config.GRPC.Address = fmt.Sprintf("127.0.0.1:%d", made.port+2)
	config.API.Enable, config.API.Address = true, fmt.Sprintf("tcp://127.0.0.1:%d", made.port+3)
	// For pages that are developed on this machine: they come from other ports.
	config.API.Swagger, config.API.EnableUnsafeCORS = true, true
	serverconfig.WriteConfigFile(filepath.Join(home, "config", "app.toml"), config)
	return made, nil
}

func (n network) configure(config *cmtcfg.Config, port, i int) {
	config.Moniker = fmt.Sprintf("node%d", i)
	config.P2P.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", port)
	config.RPC.ListenAddress = fmt.Sprintf("tcp://127.0.0.1:%d", port+1)
	config.RPC.PprofListenAddress = ""
	config.RPC.CORSAllowedOrigins = []string{"*"}
	config.P2P.AddrBookStrict, config.P2P.AllowDuplicateIP, config.P2P.PexReactor = false, true, false
	config.P2P.FlushThrottleTimeout = gossip
	config.Consensus.PeerGossipSleepDuration = gossip
	config.Consensus.TimeoutCommit = n.blockTime
}

func peersOf(one node, nodes []node) string {
	var peers []string
	for _, other := range nodes {
		if other.peer != one.peer {
			peers = append(peers, other.peer)
		}
	}
	return strings.Join(peers, ",")
}
