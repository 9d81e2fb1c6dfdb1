package app

import (
	"context"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/cosmos/cosmos-sdk/baseapp"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"

	"cosmossdk.io/log"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/client/flags"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"

	markettypes "lode/x/market/types"
)

func (c *chain) refused(path string, question interface{ Marshal() ([]byte, error) }) (code uint32, codespace, log string) {
	c.t.Helper()
	data, err := question.Marshal()
	c.must(err)
	response, err := c.Query(context.Background(), &abci.RequestQuery{Path: path, Data: data})
	c.must(err)
	return response.Code, response.Codespace, response.Log
}

func TestWhatTheMarketRefusesIsSaidWithItsCode(t *testing.T) {
	chain := someChain(t)
	coin := sdk.NewInt64Coin(Denom, 5)
	withdraw := chain.signMessage(rich, &markettypes.MsgWithdraw{App: address(rich).String(), Coin: &coin})
	supplier := &markettypes.QuerySupplier{Operator: address(rich).String()}
	for _, asked := range []struct {
		path     string
		question interface{ Marshal() ([]byte, error) }
		code     uint32
		log      string
	}{
		{marketPath + "Supplier", supplier, 4, "the supplier " + address(rich).String() + " is not there"},
		{marketPath + "Nothing", supplier, 3, `there is no query "/lode.market.v1.Query/Nothing"`},
		{simulatePath, &txtypes.SimulateRequest{TxBytes: withdraw}, 17, "failed to execute message; message index: 0: the escrow has 0ulode free, but 5ulode is wanted: deposit more"},
	} {
		code, codespace, log := chain.refused(asked.path, asked.question)
		if code != asked.code || codespace != "lode" || log != asked.log {
			t.Errorf("%s: %s %d: %s", asked.path, codespace, code, log)
		}
	}
}

func TestANodeTakesTransactionsAfterItsFirstBlock(t *testing.T) {
	options := simtestutil.AppOptionsMap{flags.FlagHome: t.TempDir()}
	app, err := New(log.NewNopLogger(), dbm.NewMemDB(), nil, true, options, baseapp.SetChainID("lode-test"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := app.CheckTx(&abci.RequestCheckTx{Tx: []byte("anything")})
	if err != nil || response.Codespace != "sdk" || response.Code != 20 {
		t.Fatalf("%+v, %v", response, err)
	}
	chain := someChain(t)
	chain.block(chain.time.Add(time.Second))
	coin := sdk.NewInt64Coin(Denom, 5)
	deposit := chain.signMessage(rich, &markettypes.MsgDeposit{App: address(rich).String(), Coin: &coin})
	if response, err = chain.CheckTx(&abci.RequestCheckTx{Tx: deposit}); err != nil || response.Code != 0 {
		t.Fatalf("%+v, %v", response, err)
	}
}
