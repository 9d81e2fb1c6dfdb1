package border

/*
#include "lode.h"
*/
import "C"

import (
	"errors"
	"unsafe"
)

// Sizes of what seeds are made of.
const (
	SeedSize   = C.LODE_SEED_SIZE
	KeySize    = C.LODE_VRF_KEY_SIZE
	ProofSize  = C.LODE_VRF_PROOF_SIZE
	OutputSize = C.LODE_VRF_OUTPUT_SIZE
)

var (
	errSeed  = errors.New("these bytes are no part of a seed")
	errProof = errors.New("the proof is not this key's for this seed and height")
)

// FirstSeed is the seed before a chain's first block.
func FirstSeed(chainID string) (seed [SeedSize]byte, err error) {
	done := C.lode_seed_first(view([]byte(chainID)), room(&seed[0]))
	return seed, failed(done, errSeed)
}

// NextSeed is the seed that follows, given the validators' outputs in any order.
func NextSeed(previous [SeedSize]byte, outputs [][OutputSize]byte) (seed [SeedSize]byte, err error) {
	all := make([]byte, 0, len(outputs)*OutputSize)
	for _, output := range outputs {
		all = append(all, output[:]...)
	}
	done := C.lode_seed_next(view(previous[:]), view(all), room(&seed[0]))
	return seed, failed(done, errSeed)
}

// PublicKey is the public half of a secret.
func PublicKey(secret [KeySize]byte) (key [KeySize]byte, err error) {
	done := C.lode_vrf_public(view(secret[:]), room(&key[0]))
	return key, failed(done, errSeed)
}

// Prove is what a secret says of the height after the one with the seed `previous`.
func Prove(secret [KeySize]byte, previous [SeedSize]byte, height uint64) (proof [ProofSize]byte, err error) {
	done := C.lode_vrf_prove(view(secret[:]), view(previous[:]), C.uint64_t(height), room(&proof[0]))
	return proof, failed(done, errSeed)
}

// Verify gives the output that a proof proves.
func Verify(key []byte, previous [SeedSize]byte, height uint64, proof []byte) (output [OutputSize]byte, err error) {
	done := C.lode_vrf_verify(view(key), view(previous[:]), C.uint64_t(height), view(proof), room(&output[0]))
	return output, failed(done, errProof)
}

func room(first *byte) *C.uint8_t {
	return (*C.uint8_t)(unsafe.Pointer(first))
}

func failed(done C.int32_t, err error) error {
	if done == C.LODE_OK {
		return nil
	}
	return err
}
