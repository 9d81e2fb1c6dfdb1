// Command light proves what the market keeps under a key, trusting no node: it follows the chain's
// headers as a light client and checks the record against the hash of the state in them.
//
//	light TRUSTED_HEIGHT TRUSTED_HASH RPC[,RPC...] KEY
//
// The first RPC is asked, the others are witnesses. It prints the height, and the record in hexadecimal;
// nothing after the height where there is provably no record.
package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	rpcprovider "github.com/cometbft/cometbft/light/provider/http"
	lightstore "github.com/cometbft/cometbft/light/store/db"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	rpcclient "github.com/cometbft/cometbft/rpc/client"
	rpc "github.com/cometbft/cometbft/rpc/client/http"

	"cosmossdk.io/store/rootmulti"
)

const (
	store = "market"
	// trusting is how old a trusted header may be: less than stake takes to leave the validators.
	trusting = 14 * 24 * time.Hour
	// patience is how long a header may take that must come.
	patience = 30 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return errors.New("usage: light TRUSTED_HEIGHT TRUSTED_HASH RPC[,RPC...] KEY")
	}
	height, err := strconv.ParseInt(arguments[0], 10, 64)
	if err != nil {
		return fmt.Errorf("the trusted height %q is no number", arguments[0])
	}
	hash, err := hex.DecodeString(arguments[1])
	if err != nil {
		return fmt.Errorf("the trusted hash %q is not hexadecimal", arguments[1])
	}
	key, err := hex.DecodeString(arguments[3])
	if err != nil {
		return fmt.Errorf("the key %q is not hexadecimal", arguments[3])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	trusted := light.TrustOptions{Period: trusting, Height: height, Hash: hash}
	at, value, err := prove(ctx, trusted, strings.Split(arguments[2], ","), key)
	if err != nil {
		return err
	}
	fmt.Println(at, hex.EncodeToString(value))
	return nil
}

// prove asks for the record under key and checks it; nil where there is provably none.
func prove(ctx context.Context, trusted light.TrustOptions, nodes []string, key []byte) (int64, []byte, error) {
	node, err := rpc.New(nodes[0], "/websocket")
	if err != nil {
		return 0, nil, err
	}
	follower, err := follow(ctx, trusted, nodes, node)
	if err != nil {
		return 0, nil, err
	}
	told, err := node.ABCIQueryWithOptions(ctx, "/store/"+store+"/key", key, rpcclient.ABCIQueryOptions{Prove: true})
	if err != nil {
		return 0, nil, err
	}
	answer := told.Response
	if answer.Code != 0 || answer.ProofOps == nil || !bytes.Equal(answer.Key, key) {
		return 0, nil, fmt.Errorf("the node gives no proof of %x: code %d %s", key, answer.Code, answer.Log)
	}
	// The hash of a block's state is in the header of the next.
	header, err := verified(ctx, follower, answer.Height+1)
	if err != nil {
		return 0, nil, err
	}
	return answer.Height, answer.Value, check(header, key, answer.Value, answer.ProofOps.Ops)
}

// follow begins at a header that its user trusts.
func follow(ctx context.Context, trusted light.TrustOptions, nodes []string, node *rpc.HTTP) (*light.Client, error) {
	status, err := node.Status(ctx)
	if err != nil {
		return nil, err
	}
	chain := status.NodeInfo.Network
	var providers []provider.Provider
	for _, address := range nodes {
		one, err := rpcprovider.New(chain, address)
		if err != nil {
			return nil, err
		}
		providers = append(providers, one)
	}
	// A single node is its own witness: who wants more names more.
	witnesses := providers
	if len(providers) > 1 {
		witnesses = providers[1:]
	}
	return light.NewClient(ctx, chain, trusted, providers[0], witnesses, lightstore.New(db.NewMemDB(), chain))
}

// verified waits for a header and returns the hash of the state in it.
func verified(ctx context.Context, follower *light.Client, height int64) ([]byte, error) {
	for {
		block, err := follower.VerifyLightBlockAtHeight(ctx, height, time.Now())
		switch {
		case err == nil:
			return block.AppHash, nil
		case !errors.Is(err, provider.ErrHeightTooHigh) && !errors.Is(err, provider.ErrLightBlockNotFound):
			return nil, fmt.Errorf("header %d: %w", height, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("header %d: %w", height, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// check proves by ICS-23 that the state with hash root holds value under key, or nothing.
func check(root, key, value []byte, proof []cmtcrypto.ProofOp) error {
	path := merkle.KeyPath{}.AppendKey([]byte(store), merkle.KeyEncodingURL).AppendKey(key, merkle.KeyEncodingHex).String()
	runtime, ops := rootmulti.DefaultProofRuntime(), &cmtcrypto.ProofOps{Ops: proof}
	if len(value) == 0 {
		return runtime.VerifyAbsence(ops, root, path)
	}
	return runtime.VerifyValue(ops, root, path, value)
}
