package main

import (
	"io"
	"os"
	"time"

	"cosmossdk.io/client/v2/autocli"
	"cosmossdk.io/core/appmodule"
	"cosmossdk.io/depinject"
	"cosmossdk.io/log"
	cmtcfg "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/config"
	"github.com/cosmos/cosmos-sdk/client/debug"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/pruning"
	"github.com/cosmos/cosmos-sdk/client/rpc"
	"github.com/cosmos/cosmos-sdk/client/snapshot"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/server"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	"github.com/cosmos/cosmos-sdk/types/module"
	authcmd "github.com/cosmos/cosmos-sdk/x/auth/client/cli"
	"github.com/cosmos/cosmos-sdk/x/auth/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"lode/app"
)

// gasPrice is the least that a node takes unless its operator says otherwise.
const gasPrice = "0.001" + app.Denom

// queryGas bounds the work of one question: some walk over all records.
const queryGas = 300_000_000

// blockTime is how long a node waits after a block unless its operator says otherwise: the
// parameters of a network in use count on it.
const blockTime = 5 * time.Second

func rootCommand() (*cobra.Command, error) {
	var commands autocli.AppOptions
	var basics module.BasicManager
	var ctx client.Context
	given := depinject.Supply(log.NewNopLogger(), servertypes.AppOptions(simtestutil.AppOptionsMap{}))
	wired := depinject.Configs(app.Config(), given, depinject.Provide(ClientContext))
	if err := depinject.Inject(wired, &commands, &basics, &ctx); err != nil {
		return nil, err
	}
	addIBC(&commands, basics, ctx)
	showCoins(basics)
	root := &cobra.Command{
		Use:           app.Name,
		Short:         "A node of the Lode network, and its command line",
		SilenceErrors: true,
		PersistentPreRunE: func(command *cobra.Command, _ []string) error {
			return prepare(command, ctx)
		},
	}
	root.AddCommand(
		initCommand(basics),
		testnetCommand(basics),
		beaconKeyCommand(),
		genutilcli.Commands(ctx.TxConfig, basics, app.Home()),
		debug.Cmd(),
		pruning.Cmd(build, app.Home()),
		snapshot.Cmd(build),
		server.StatusCommand(),
		keys.Commands(),
		queryCommand(),
		txCommand(),
	)
	server.AddCommands(root, app.Home(), build, export, func(*cobra.Command) {})
	return root, commands.EnhanceRootCommand(root)
}

// addIBC tells the command line of the modules that the chain's builder does not know.
func addIBC(commands *autocli.AppOptions, basics module.BasicManager, ctx client.Context) {
	for name, basic := range app.IBCModules() {
		basic.RegisterInterfaces(ctx.InterfaceRegistry)
		basics[name] = basic
		if modern, ok := basic.(appmodule.AppModule); ok {
			commands.Modules[name] = modern
		}
	}
}

// prepare reads flags, variables and files, in this order of weight.
func prepare(command *cobra.Command, ctx client.Context) error {
	// Without these two, answers would go to standard error.
	command.SetOut(command.OutOrStdout())
	command.SetErr(command.ErrOrStderr())
	ctx, err := client.ReadPersistentCommandFlags(ctx.WithCmdContext(command.Context()), command.Flags())
	if err != nil {
		return err
	}
	if ctx, err = config.ReadFromClientConfig(ctx); err != nil {
		return err
	}
	if err := client.SetCmdClientContextHandler(ctx, command); err != nil {
		return err
	}
	return server.InterceptConfigsPreRunHandler(command, serverconfig.DefaultConfigTemplate, appConfig(), cometConfig())
}

// ClientContext is exported because the builder calls it.
func ClientContext(cdc codec.Codec, registry codectypes.InterfaceRegistry, txs client.TxConfig, _ tx.ConfigOptions, amino *codec.LegacyAmino) client.Context {
	return client.Context{}.
		WithCodec(cdc).
		WithInterfaceRegistry(registry).
		WithLegacyAmino(amino).
		WithTxConfig(txs).
		WithInput(os.Stdin).
		WithAccountRetriever(authtypes.AccountRetriever{}).
		WithHomeDir(app.Home()).
		WithViper(environment)
}

func queryCommand() *cobra.Command {
	command := &cobra.Command{Use: "query", Aliases: []string{"q"}, Short: "Ask a node", RunE: client.ValidateCmd}
	command.AddCommand(
		rpc.WaitTxCmd(), server.QueryBlockCmd(), server.QueryBlocksCmd(), server.QueryBlockResultsCmd(),
		authcmd.QueryTxCmd(), authcmd.QueryTxsByEventsCmd(),
	)
	return command
}

func txCommand() *cobra.Command {
	command := &cobra.Command{Use: "tx", Short: "Make, sign and send transactions", RunE: client.ValidateCmd}
	command.AddCommand(
		authcmd.GetSignCommand(), authcmd.GetSignBatchCommand(), authcmd.GetMultiSignCommand(),
		authcmd.GetMultiSignBatchCmd(), authcmd.GetValidateSignaturesCommand(), authcmd.GetBroadcastCommand(),
		authcmd.GetEncodeCommand(), authcmd.GetDecodeCommand(), authcmd.GetSimulateCmd(),
	)
	return command
}

func appConfig() *serverconfig.Config {
	config := serverconfig.DefaultConfig()
	config.MinGasPrices = gasPrice
	config.QueryGasLimit = queryGas
	// The second index of the state tree makes reads quicker, but writes slower: those are the cost
	// of a settlement.
	config.IAVLDisableFastNode = true
	return config
}

func cometConfig() *cmtcfg.Config {
	config := cmtcfg.DefaultConfig()
	config.Consensus.TimeoutCommit = blockTime
	return config
}

func build(logger log.Logger, db dbm.DB, trace io.Writer, options servertypes.AppOptions) servertypes.Application {
	built, err := app.New(logger, db, trace, true, options, server.DefaultBaseappOptions(options)...)
	if err != nil {
		panic(err)
	}
	return built
}

func export(logger log.Logger, db dbm.DB, trace io.Writer, height int64, _ bool, _ []string, options servertypes.AppOptions, modules []string) (servertypes.ExportedApp, error) {
	latest := height == -1
	built, err := app.New(logger, db, trace, latest, options, server.DefaultBaseappOptions(options)...)
	if err != nil {
		return servertypes.ExportedApp{}, err
	}
	if !latest {
		if err := built.LoadHeight(height); err != nil {
			return servertypes.ExportedApp{}, err
		}
	}
	return built.Export(modules)
}
