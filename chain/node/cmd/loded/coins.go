package main

import (
	"encoding/json"

	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/types/module"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"

	"lode/app"
)

// displayed is how wallets show the coin of stakes: a lode is a million of its smallest unit.
var displayed = banktypes.Metadata{
	Description: "The coin of Lode",
	DenomUnits:  []*banktypes.DenomUnit{{Denom: app.Denom}, {Denom: "lode", Exponent: 6}},
	Base:        app.Denom,
	Display:     "lode",
	Name:        "Lode",
	Symbol:      "LODE",
}

// bank is the SDK's, whose genesis says how our coin is shown.
type bank struct {
	module.AppModuleBasic
	module.HasGenesisBasics
}

// showCoins lets each genesis that is made here say how the coin of stakes is shown.
func showCoins(basics module.BasicManager) {
	sdks := basics[banktypes.ModuleName]
	basics[banktypes.ModuleName] = bank{sdks, sdks.(module.HasGenesisBasics)}
}

func (b bank) DefaultGenesis(cdc codec.JSONCodec) json.RawMessage {
	var genesis banktypes.GenesisState
	cdc.MustUnmarshalJSON(b.HasGenesisBasics.DefaultGenesis(cdc), &genesis)
	genesis.DenomMetadata = append(genesis.DenomMetadata, displayed)
	return cdc.MustMarshalJSON(&genesis)
}
