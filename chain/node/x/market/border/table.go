package border

// This file holds the C table of the callbacks. It exports nothing to C, and so may define what the
// others only declare.

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../ffi/include
#cgo LDFLAGS: ${SRCDIR}/../../../lib/liblode_chain.a -ldl -lm -lpthread
#include "lode.h"

extern int64_t lodeGet(uintptr_t, lode_bytes, lode_room);
extern int64_t lodeFetch(uintptr_t, lode_room);
extern int32_t lodeSet(uintptr_t, lode_bytes, lode_bytes);
extern int32_t lodeRemove(uintptr_t, lode_bytes);
extern int64_t lodeRange(uintptr_t, lode_bytes, lode_bytes, uint32_t, lode_room);
extern int32_t lodePay(uintptr_t, lode_bytes, lode_bytes, lode_bytes, lode_bytes);
extern int32_t lodeBurn(uintptr_t, lode_bytes, lode_bytes, lode_bytes);
extern int32_t lodeEmit(uintptr_t, lode_bytes);
extern int64_t lodeValidators(uintptr_t, lode_room);
extern void lodeAnswer(uintptr_t, lode_bytes);

const lode_callbacks lode_go = {
    lodeGet, lodeFetch, lodeSet, lodeRemove, lodeRange, lodePay, lodeBurn, lodeEmit, lodeValidators, lodeAnswer,
};
*/
import "C"
