package main

import (
	"encoding/hex"
	"fmt"

	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/server"
	"github.com/cosmos/cosmos-sdk/types/module"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"

	"lode/app"
)

const (
	// blockBytes are those of all transactions of a block: they travel in one RPC answer.
	blockBytes = 4 * 1024 * 1024
	// blockGas bounds the time that a block takes.
	blockGas = 400_000_000
)

// initCommand is the SDK's `init`, with this chain's consensus parameters and a beacon key.
func initCommand(basics module.BasicManager) *cobra.Command {
	command := genutilcli.InitCmd(basics, app.Home())
	initialise := command.RunE
	command.RunE = func(command *cobra.Command, args []string) error {
		if err := initialise(command, args); err != nil {
			return err
		}
		path := server.GetServerContextFromCmd(command).Config.GenesisFile()
		genesis, err := genutiltypes.AppGenesisFromFile(path)
		if err != nil {
			return err
		}
		genesis.Consensus.Params = consensusParams()
		if err := genesis.SaveAs(path); err != nil {
			return err
		}
		_, err = app.CreateSecret(client.GetClientContextFromCmd(command).HomeDir)
		return err
	}
	return command
}

// consensusParams are those that a chain begins with: votes are extended from the first block on.
func consensusParams() *cmttypes.ConsensusParams {
	params := cmttypes.DefaultConsensusParams()
	params.ABCI.VoteExtensionsEnableHeight = 1
	params.Block.MaxBytes = blockBytes
	params.Block.MaxGas = blockGas
	return params
}

// beaconKeyCommand makes a validator's beacon key where there is none, and shows its public half.
func beaconKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "beacon-key",
		Short: "Show this node's beacon key in hex; make one where there is none",
		Long: "Show the public half of the key with which this validator takes part in seeds; make one where\n" +
			"there is none. Register it with: loded tx beacon register-key <key> --from <operator>",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			key, err := app.CreateSecret(client.GetClientContextFromCmd(command).HomeDir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), hex.EncodeToString(key[:]))
			return err
		},
	}
}
