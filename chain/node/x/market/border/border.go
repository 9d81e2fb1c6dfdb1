// Package border calls the market's library, crate chain-ffi. It knows nothing of the SDK but what
// a store is; the header lode.h says what may cross.
package border

/*
#include "lode.h"

extern const lode_callbacks lode_go;
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"

	storetypes "cosmossdk.io/store/types"
)

// Library is the sha256 of the linked library. The build sets it: Go does not look into a static
// library, so without a variable that changes it would not link a new one.
var Library = "unknown"

// Host is what the market may ask of its chain in one call.
type Host interface {
	// Store is the market's own, unmetered: the library counts.
	Store() storetypes.KVStore
	// Pay moves a coin between addresses, all of it or nothing.
	Pay(from, to []byte, denom, amount string) bool
	// Burn destroys a coin of a module account, all of it or nothing.
	Burn(purse, denom, amount string) bool
	Emit(kind string, attributes []Attribute)
	Validators() []Validator
}

// Attribute is one name and value of an event.
type Attribute struct{ Name, Value string }

// Validator is who makes blocks.
type Validator struct {
	Operator []byte
	Power    uint64
	// VRFKey is empty for who has registered none.
	VRFKey []byte
}

// Block is where a call is made.
type Block struct {
	ChainID string
	Height  uint64
	// Time is in milliseconds since 1970.
	Time uint64
	Seed [SeedSize]byte
}

// Before is the height before a chain's first block, given what the SDK tells while the chain begins:
// the first block's height, or 0 where that is 1.
func Before(first int64) uint64 {
	return uint64(max(first, 1)) - 1
}

// NoLimit is for calls that nobody pays for.
const NoLimit = ^uint64(0)

// Codes beside the market's own.
const (
	OK        uint32 = C.LODE_OK
	OutOfGas  uint32 = C.LODE_OUT_OF_GAS
	Panicked  uint32 = C.LODE_PANICKED
	Malformed uint32 = C.LODE_MALFORMED
	aborted   uint32 = C.LODE_ABORTED
)

// Outcome is how a call ended. The gas is to be charged, also after a refusal.
type Outcome struct {
	Code uint32
	Gas  uint64
	// Answer is what was asked for, or the words that say why it is not there.
	Answer []byte
}

// Err is nil for a call that ended well.
func (o Outcome) Err() error {
	if o.Code == OK {
		return nil
	}
	return fmt.Errorf("market code %d: %s", o.Code, o.Answer)
}

// Presets of parameters for a market that begins.
const (
	Standard uint32 = C.LODE_STANDARD
	Dev      uint32 = C.LODE_DEV
)

// Preset answers a genesis with nobody in it, whose parameters the authority may change.
func Preset(preset uint32, authority []byte) Outcome {
	return enter(nil, Block{}, NoLimit, func(call C.lode_call) C.lode_outcome {
		return C.lode_preset(call, &C.lode_go, C.uint32_t(preset), view(authority))
	})
}

// Genesis fills an empty market.
func Genesis(host Host, block Block, genesis []byte) Outcome {
	return enter(host, block, NoLimit, func(call C.lode_call) C.lode_outcome {
		return C.lode_genesis(call, &C.lode_go, view(genesis))
	})
}

// Export answers what an empty market can be filled with to go on.
func Export(host Host, block Block) Outcome {
	return enter(host, block, NoLimit, func(call C.lode_call) C.lode_outcome {
		return C.lode_export(call, &C.lode_go)
	})
}

// BeginBlock begins a block.
func BeginBlock(host Host, block Block) Outcome {
	return enter(host, block, NoLimit, func(call C.lode_call) C.lode_outcome {
		return C.lode_begin_block(call, &C.lode_go)
	})
}

// EndBlock ends a block.
func EndBlock(host Host, block Block) Outcome {
	return enter(host, block, NoLimit, func(call C.lode_call) C.lode_outcome {
		return C.lode_end_block(call, &C.lode_go)
	})
}

// Execute runs a message whose signer was checked.
func Execute(host Host, block Block, gas uint64, typeURL string, message []byte) Outcome {
	return enter(host, block, gas, func(call C.lode_call) C.lode_outcome {
		return C.lode_execute(call, &C.lode_go, view([]byte(typeURL)), view(message))
	})
}

// Query answers a question, named by its gRPC path.
func Query(host Host, block Block, gas uint64, path string, question []byte) Outcome {
	return enter(host, block, gas, func(call C.lode_call) C.lode_outcome {
		return C.lode_query(call, &C.lode_go, view([]byte(path)), view(question))
	})
}

// enter makes a call. A panic of a callback is raised again here, when no frame of the library is
// left on the stack: out of gas and store faults reach the SDK as they would from a Go module.
func enter(host Host, block Block, gas uint64, call func(C.lode_call) C.lode_outcome) Outcome {
	visit := &visit{host: host}
	handle := cgo.NewHandle(visit)
	defer handle.Delete()
	entered := C.lode_call{
		host:      C.uintptr_t(handle),
		chain_id:  view([]byte(block.ChainID)),
		height:    C.uint64_t(block.Height),
		time:      C.uint64_t(block.Time),
		gas_limit: C.uint64_t(gas),
	}
	for i, octet := range block.Seed {
		entered.seed[i] = C.uint8_t(octet)
	}
	outcome := call(entered)
	if visit.panicked != nil {
		panic(visit.panicked)
	}
	if uint32(outcome.code) == aborted {
		panic("the market's library ended a call without a reason")
	}
	return Outcome{Code: uint32(outcome.code), Gas: uint64(outcome.gas), Answer: visit.answer}
}

// view shows bytes to the library for the length of a call.
func view(bytes []byte) C.lode_bytes {
	return C.lode_bytes{at: (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(bytes))), length: C.size_t(len(bytes))}
}
