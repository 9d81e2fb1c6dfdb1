package border

/*
#include "lode.h"
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// visit is the Go side of one call: the library knows its handle only.
type visit struct {
	host Host
	// pending are bytes that did not fit into the lent room.
	pending  []byte
	answer   []byte
	panicked any
}

func visitOf(handle C.uintptr_t) *visit {
	return cgo.Handle(handle).Value().(*visit)
}

// caught keeps a panic for after the call: it must not cross the library's frames.
func (v *visit) caught(failed func()) {
	fault := recover()
	if fault == nil {
		return
	}
	if broken, ok := fault.(runtime.Error); ok {
		fault = fmt.Errorf("the market's host: %w", broken)
	}
	v.panicked = fault
	v.pending = nil
	failed()
}

// copied is what a view shows. The SDK's stores keep the keys and values that they are given, keys
// of reads too, so they must never see the library's memory.
func copied(view C.lode_bytes) []byte {
	if view.length == 0 {
		return []byte{}
	}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(view.at)), int(view.length))...)
}

// lend puts bytes into the room, or keeps them to be fetched.
func (v *visit) lend(bytes []byte, room C.lode_room) C.int64_t {
	if len(bytes) > int(room.size) {
		v.pending = bytes
	} else if len(bytes) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(room.at)), int(room.size)), bytes)
	}
	return C.int64_t(len(bytes))
}

//export lodeGet
func lodeGet(handle C.uintptr_t, key C.lode_bytes, room C.lode_room) (length C.int64_t) {
	v := visitOf(handle)
	defer v.caught(func() { length = C.LODE_FAILED })
	value := v.host.Store().Get(copied(key))
	if value == nil {
		return C.LODE_ABSENT
	}
	return v.lend(value, room)
}

//export lodeFetch
func lodeFetch(handle C.uintptr_t, room C.lode_room) C.int64_t {
	v := visitOf(handle)
	if len(v.pending) != int(room.size) {
		return C.LODE_FAILED
	}
	bytes := v.pending
	v.pending = nil
	return v.lend(bytes, room)
}

//export lodeSet
func lodeSet(handle C.uintptr_t, key, value C.lode_bytes) (status C.int32_t) {
	v := visitOf(handle)
	defer v.caught(func() { status = C.LODE_FAILED })
	v.host.Store().Set(copied(key), copied(value))
	return C.LODE_OK
}

//export lodeRemove
func lodeRemove(handle C.uintptr_t, key C.lode_bytes) (status C.int32_t) {
	v := visitOf(handle)
	defer v.caught(func() { status = C.LODE_FAILED })
	v.host.Store().Delete(copied(key))
	return C.LODE_OK
}

//export lodeRange
func lodeRange(handle C.uintptr_t, from, to C.lode_bytes, limit C.uint32_t, room C.lode_room) (length C.int64_t) {
	v := visitOf(handle)
	defer v.caught(func() { length = C.LODE_FAILED })
	pairs := v.host.Store().Iterator(copied(from), copied(to))
	defer pairs.Close()
	var page []byte
	for ; limit > 0 && pairs.Valid(); limit-- {
		page = listed(listed(page, pairs.Key()), pairs.Value())
		pairs.Next()
	}
	return v.lend(page, room)
}

//export lodePay
func lodePay(handle C.uintptr_t, from, to, denom, amount C.lode_bytes) (status C.int32_t) {
	v := visitOf(handle)
	defer v.caught(func() { status = C.LODE_FAILED })
	return moved(v.host.Pay(copied(from), copied(to), string(copied(denom)), string(copied(amount))))
}

//export lodeBurn
func lodeBurn(handle C.uintptr_t, purse, denom, amount C.lode_bytes) (status C.int32_t) {
	v := visitOf(handle)
	defer v.caught(func() { status = C.LODE_FAILED })
	return moved(v.host.Burn(string(copied(purse)), string(copied(denom)), string(copied(amount))))
}

func moved(all bool) C.int32_t {
	if all {
		return C.LODE_OK
	}
	return C.LODE_SHORT
}

//export lodeEmit
func lodeEmit(handle C.uintptr_t, event C.lode_bytes) (status C.int32_t) {
	v := visitOf(handle)
	defer v.caught(func() { status = C.LODE_FAILED })
	list := copied(event)
	next := func() string {
		length := binary.LittleEndian.Uint32(list)
		text := string(list[4 : 4+length])
		list = list[4+length:]
		return text
	}
	kind := next()
	var attributes []Attribute
	for len(list) > 0 {
		attributes = append(attributes, Attribute{Name: next(), Value: next()})
	}
	v.host.Emit(kind, attributes)
	return C.LODE_OK
}

//export lodeValidators
func lodeValidators(handle C.uintptr_t, room C.lode_room) (length C.int64_t) {
	v := visitOf(handle)
	defer v.caught(func() { length = C.LODE_FAILED })
	var bytes []byte
	for _, validator := range v.host.Validators() {
		var key [KeySize]byte
		known := byte(copy(key[:], validator.VRFKey) / KeySize)
		bytes = append(bytes, validator.Operator...)
		bytes = binary.LittleEndian.AppendUint64(bytes, validator.Power)
		bytes = append(append(bytes, known), key[:]...)
	}
	return v.lend(bytes, room)
}

//export lodeAnswer
func lodeAnswer(handle C.uintptr_t, answer C.lode_bytes) {
	visitOf(handle).answer = copied(answer)
}

// listed appends a string behind its length.
func listed(list, text []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(list, uint32(len(text))), text...)
}
