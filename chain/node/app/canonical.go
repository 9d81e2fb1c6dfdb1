package app

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/cosmos/gogoproto/proto"

	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	"lode/x/market"
)

// marketMessages is how the type URLs of the market's messages begin.
const marketMessages = "/lode.market.v1."

// notCanonical is the library's code for bytes that are not in their one form.
const notCanonical = 2

// refuseOtherEncodings keeps what is signed in one form. The SDK reads a message whatever the order
// of its fields; the library takes canonical bytes only, and it is asked about what was sent, not
// about what Go made of it.
func (a *App) refuseOtherEncodings() {
	next := a.AnteHandler()
	a.SetAnteHandler(func(ctx sdk.Context, tx sdk.Tx, simulate bool) (sdk.Context, error) {
		if err := checkEncoding(tx); err != nil {
			return ctx, err
		}
		return next(ctx, tx, simulate)
	})
}

func checkEncoding(tx sdk.Tx) error {
	signed, ok := tx.(authsigning.V2AdaptableTx)
	if !ok {
		return fmt.Errorf("a transaction of type %T does not show what is signed", tx)
	}
	var body txtypes.TxBody
	if err := body.Unmarshal(signed.GetSigningTxData().BodyBytes); err != nil {
		return err
	}
	for i, message := range tx.GetMsgs() {
		sent := body.Messages[i]
		if !strings.HasPrefix(sent.TypeUrl, marketMessages) {
			continue
		}
		canonical, err := proto.Marshal(message)
		if err != nil {
			return err
		}
		if !bytes.Equal(canonical, sent.Value) {
			return market.Refused{
				Code:  notCanonical,
				Words: fmt.Sprintf("message %d: these %d bytes of a %s are not in canonical form", i, len(sent.Value), sent.TypeUrl),
			}
		}
	}
	return nil
}
