package app

import (
	"context"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
)

const (
	simulatePath = "/cosmos.tx.v1beta1.Service/Simulate"
	marketPath   = "/lode.market.v1.Query/"
)

// Query answers as the SDK does, but says why the market refuses in the library's codespace and
// code, which the SDK would lose on its way through gRPC.
func (a *App) Query(ctx context.Context, request *abci.RequestQuery) (response *abci.ResponseQuery, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			response, err = sdkerrors.QueryResult(sdkerrors.ErrPanic.Wrapf("%v", fault), false), nil
		}
	}()
	switch {
	case request.Path == simulatePath:
		return a.simulate(ctx, request)
	case strings.HasPrefix(request.Path, marketPath):
		return a.askMarket(request), nil
	default:
		return a.App.Query(ctx, request)
	}
}

func (a *App) simulate(ctx context.Context, request *abci.RequestQuery) (*abci.ResponseQuery, error) {
	var asked txtypes.SimulateRequest
	if err := asked.Unmarshal(request.Data); err != nil || len(asked.TxBytes) == 0 {
		return a.App.Query(ctx, request)
	}
	gas, result, err := a.Simulate(asked.TxBytes)
	if err != nil {
		return sdkerrors.QueryResult(err, false), nil
	}
	value, err := (&txtypes.SimulateResponse{GasInfo: &gas, Result: result}).Marshal()
	return &abci.ResponseQuery{Value: value, Height: a.LastBlockHeight()}, err
}

func (a *App) askMarket(request *abci.RequestQuery) *abci.ResponseQuery {
	height := request.Height
	if height == 0 {
		height = a.LastBlockHeight()
	}
	ctx, err := a.CreateQueryContext(height, request.Prove)
	if err != nil {
		return sdkerrors.QueryResult(err, false)
	}
	value, err := a.market.Query(ctx, request.Path, request.Data)
	if err != nil {
		refused := sdkerrors.QueryResult(err, false)
		refused.Height = height
		return refused
	}
	return &abci.ResponseQuery{Value: value, Height: height}
}

// CheckTx waits for the first block after a start. Until then the SDK checks signatures as if the
// chain had not begun, and would refuse good ones.
func (a *App) CheckTx(request *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if !a.awake.Load() {
		err := sdkerrors.ErrMempoolIsFull.Wrap("this node has just started: it takes transactions after its next block")
		return sdkerrors.ResponseCheckTxWithEvents(err, 0, 0, nil, false), nil
	}
	return a.App.CheckTx(request)
}

// Commit keeps the block that was executed.
func (a *App) Commit() (*abci.ResponseCommit, error) {
	response, err := a.App.Commit()
	a.awake.Store(err == nil)
	return response, err
}
