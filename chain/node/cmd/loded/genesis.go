package main

import (
	"encoding/json"
	"fmt"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/gogoproto/proto"
	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/tx"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/module"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"lode/app"
	"lode/x/beacon"
	beacontypes "lode/x/beacon/types"
	"lode/x/market"
	"lode/x/market/border"
)

const (
	// validatorKey is the name of a validator's account in its keyring.
	validatorKey = "validator"
	// coins are what each account of a local network begins with.
	coins = 1_000_000_000_000_000
	// bonded is what each validator has at stake of them.
	bonded = 100_000_000_000
	// missable is of how many blocks a validator may miss half before it is jailed: those of a local
	// network are stopped at will.
	missable = 100_000
	// votingPeriod is how long a local network's proposals are voted on.
	votingPeriod = 20 * time.Second
)

// genesis is what all nodes of a local network begin with.
func (n network) genesis(command *cobra.Command, ctx client.Context, basics module.BasicManager, nodes []node) (*genutiltypes.AppGenesis, error) {
	states := basics.DefaultGenesis(ctx.Codec)
	if err := n.fund(ctx, states, nodes); err != nil {
		return nil, err
	}
	if err := loosen(ctx, states); err != nil {
		return nil, err
	}
	begin, err := market.Preset(border.Dev)
	if err != nil {
		return nil, err
	}
	states[market.Name] = ctx.Codec.MustMarshalJSON(begin)
	var keys beacontypes.Genesis
	var created genutiltypes.GenesisState
	for _, one := range nodes {
		keys.Keys = append(keys.Keys, &beacontypes.Key{Operator: one.account.String(), Key: one.beacon})
		signed, err := n.createValidator(command, ctx, one)
		if err != nil {
			return nil, err
		}
		created.GenTxs = append(created.GenTxs, signed)
	}
	states[beacon.Name] = ctx.Codec.MustMarshalJSON(&keys)
	states[genutiltypes.ModuleName] = ctx.Codec.MustMarshalJSON(&created)
	text, err := json.MarshalIndent(states, "", "  ")
	if err != nil {
		return nil, err
	}
	genesis := genutiltypes.NewAppGenesisWithVersion(n.chainID, text)
	genesis.GenesisTime = time.Now().UTC()
	genesis.Consensus = &genutiltypes.ConsensusGenesis{Params: consensusParams()}
	return genesis, nil
}

// fund gives coins to the validators and to who was named.
func (n network) fund(ctx client.Context, states map[string]json.RawMessage, nodes []node) error {
	var auth authtypes.GenesisState
	var bank banktypes.GenesisState
	for name, state := range map[string]proto.Message{authtypes.ModuleName: &auth, banktypes.ModuleName: &bank} {
		if err := ctx.Codec.UnmarshalJSON(states[name], state); err != nil {
			return err
		}
	}
	others, err := sdk.ParseCoinsNormalized(n.others)
	if err != nil {
		return fmt.Errorf("--coins %s: %w", n.others, err)
	}
	each := others.Add(sdk.NewInt64Coin(app.Denom, coins))
	var accounts []authtypes.GenesisAccount
	give := func(account sdk.AccAddress) {
		accounts = append(accounts, authtypes.NewBaseAccount(account, nil, 0, 0))
		bank.Balances = append(bank.Balances, banktypes.Balance{Address: account.String(), Coins: each})
	}
	for _, one := range nodes {
		give(one.account)
	}
	for _, address := range n.funded {
		account, err := sdk.AccAddressFromBech32(address)
		if err != nil {
			return err
		}
		give(account)
	}
	packed, err := authtypes.PackAccounts(accounts)
	if err != nil {
		return err
	}
	auth.Accounts = packed
	states[authtypes.ModuleName] = ctx.Codec.MustMarshalJSON(&auth)
	states[banktypes.ModuleName] = ctx.Codec.MustMarshalJSON(&bank)
	return nil
}

// loosen lets proposals be voted on quickly, and validators be away for long.
func loosen(ctx client.Context, states map[string]json.RawMessage) error {
	var gov govv1.GenesisState
	var slashing slashingtypes.GenesisState
	for name, state := range map[string]proto.Message{govtypes.ModuleName: &gov, slashingtypes.ModuleName: &slashing} {
		if err := ctx.Codec.UnmarshalJSON(states[name], state); err != nil {
			return err
		}
	}
	period, expedited := votingPeriod, votingPeriod/2
	gov.Params.VotingPeriod, gov.Params.ExpeditedVotingPeriod = &period, &expedited
	slashing.Params.SignedBlocksWindow = missable
	states[govtypes.ModuleName] = ctx.Codec.MustMarshalJSON(&gov)
	states[slashingtypes.ModuleName] = ctx.Codec.MustMarshalJSON(&slashing)
	return nil
}

// createValidator is the signed transaction with which a validator is in from the first block on.
func (n network) createValidator(command *cobra.Command, ctx client.Context, one node) (json.RawMessage, error) {
	message, err := stakingtypes.NewMsgCreateValidator(
		sdk.ValAddress(one.account).String(),
		one.key,
		sdk.NewInt64Coin(app.Denom, bonded),
		stakingtypes.NewDescription(one.config.Moniker, "", "", "", ""),
		stakingtypes.NewCommissionRates(math.LegacyNewDecWithPrec(5, 2), math.LegacyNewDecWithPrec(20, 2), math.LegacyNewDecWithPrec(1, 2)),
		math.OneInt(),
	)
	if err != nil {
		return nil, err
	}
	unsigned := ctx.TxConfig.NewTxBuilder()
	if err := unsigned.SetMsgs(message); err != nil {
		return nil, err
	}
	factory := tx.Factory{}.WithChainID(n.chainID).WithKeybase(one.ring).WithTxConfig(ctx.TxConfig)
	if err := tx.Sign(command.Context(), factory, validatorKey, unsigned, true); err != nil {
		return nil, err
	}
	return ctx.TxConfig.TxJSONEncoder()(unsigned.GetTx())
}
