package market

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	storetypes "cosmossdk.io/store/types"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"lode/x/market/border"
)

// Codespace is that of the library's codes.
const Codespace = "lode"

// notFound is the library's code for a record that is not there.
const notFound = 4

// Refused is the library's no, with its stable code and its words.
type Refused struct {
	Code  uint32
	Words string
}

func (r Refused) Error() string { return r.Words }

// ABCICode and Codespace are how the SDK learns what to write into a block's results.
func (r Refused) ABCICode() uint32  { return r.Code }
func (r Refused) Codespace() string { return Codespace }

// GRPCStatus is how queries say it.
func (r Refused) GRPCStatus() *status.Status {
	code := codes.InvalidArgument
	if r.Code == notFound {
		code = codes.NotFound
	}
	return status.New(code, fmt.Sprintf("%s (%s %d)", r.Words, Codespace, r.Code))
}

// refusal is the error of an outcome that was charged for.
func refusal(outcome border.Outcome) error {
	switch outcome.Code {
	case border.OK:
		return nil
	case border.OutOfGas:
		// The meter was charged for more than it had, and so has panicked, unless it has no limit.
		panic(storetypes.ErrorOutOfGas{Descriptor: "market"})
	case border.Panicked, border.Malformed:
		return sdkerrors.ErrPanic.Wrapf("the market's library: %s", outcome.Answer)
	default:
		return Refused{Code: outcome.Code, Words: string(outcome.Answer)}
	}
}
