/* The market's state machine for a node in another language: the C border of crate `chain-ffi`.
 *
 * One rule keeps it small: no ownership crosses. What a pointer shows may be read until the call it
 * was given to returns; who wants to keep it copies it. Bytes go into the library as views and come
 * out through callbacks, which copy.
 *
 * The library holds no state between calls and starts no thread: blocks, simulations and questions
 * may run at once, each with a host of its own. It never lets a panic out, and a callback must not
 * let one in: it keeps its own failure, returns LODE_FAILED, and the library leaves the call.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Bytes to be read. `at` may be null where `length` is 0. */
typedef struct {
  const uint8_t *at;
  size_t length;
} lode_bytes;

/* Room that is lent to be written to. */
typedef struct {
  uint8_t *at;
  size_t size;
} lode_room;

/* What a callback returns instead of a length or LODE_OK. */
#define LODE_OK 0
#define LODE_ABSENT (-1) /* get: there is no value */
#define LODE_SHORT (-2)  /* pay, burn: nothing was moved, less is there than asked for */
#define LODE_FAILED (-3) /* the host cannot answer: the call ends with LODE_ABORTED */

/* How a call ended, beside LODE_OK and the market's own codes (codespace "lode", 2 to 65535). */
#define LODE_ABORTED 0x10001u    /* a callback failed */
#define LODE_OUT_OF_GAS 0x10002u /* the gas limit was passed */
#define LODE_PANICKED 0x10003u   /* a fault in the library; nothing that was set may be kept */
#define LODE_MALFORMED 0x10004u  /* the host gave what no host gives; the answer says what */

/* What the market may ask of its host. `host` is the call's word, given back.
 *
 * Where bytes come back they go into `room`, and their length is returned. If they are longer than
 * the room nothing is written and `fetch` follows at once, with room for all of them.
 *
 * Strings in a list each stand behind their length, 4 bytes, little-endian. */
typedef struct {
  int64_t (*get)(uintptr_t host, lode_bytes key, lode_room room);
  int64_t (*fetch)(uintptr_t host, lode_room room);
  int32_t (*set)(uintptr_t host, lode_bytes key, lode_bytes value);
  int32_t (*remove)(uintptr_t host, lode_bytes key);
  /* At most `limit` pairs with from <= key < to in order, as a list: key, value, key, value, ... */
  int64_t (*range)(uintptr_t host, lode_bytes from, lode_bytes to, uint32_t limit, lode_room room);
  /* Addresses have 20 bytes; `amount` is a decimal number. All of it is moved or nothing. */
  int32_t (*pay)(uintptr_t host, lode_bytes from, lode_bytes to, lode_bytes denom, lode_bytes amount);
  /* `purse` is the name of a module account. */
  int32_t (*burn)(uintptr_t host, lode_bytes purse, lode_bytes denom, lode_bytes amount);
  /* A list: kind, name, value, name, value, ... */
  int32_t (*emit)(uintptr_t host, lode_bytes event);
  /* Validators by operator, each 61 bytes: operator 20, power 8 little-endian, 1 if it has a VRF
   * key, the key 32. */
  int64_t (*validators)(uintptr_t host, lode_room room);
  /* What the call gives back: an answer, or the words that say why there is none. Comes last. */
  void (*answer)(uintptr_t host, lode_bytes answer);
} lode_callbacks;

/* The block in which a call is made. */
typedef struct {
  uintptr_t host;
  lode_bytes chain_id;
  uint64_t height;
  uint64_t time; /* milliseconds since 1970 */
  uint8_t seed[32];
  uint64_t gas_limit;
} lode_call;

typedef struct {
  uint32_t code;
  uint64_t gas; /* to be charged, once, also where the call was refused */
} lode_outcome;

/* Answers a lode.market.v1.Genesis with nobody in it: the parameters of a network in use, or short
 * windows to try things on one machine. `authority` has 20 bytes and may change parameters. */
#define LODE_STANDARD 0u
#define LODE_DEV 1u
lode_outcome lode_preset(lode_call call, const lode_callbacks *callbacks, uint32_t preset,
                         lode_bytes authority);
/* Fills an empty market. `genesis` is lode.market.v1.Genesis, in canonical form as all bytes. */
lode_outcome lode_genesis(lode_call call, const lode_callbacks *callbacks, lode_bytes genesis);
/* Answers lode.market.v1.Genesis. */
lode_outcome lode_export(lode_call call, const lode_callbacks *callbacks);
lode_outcome lode_begin_block(lode_call call, const lode_callbacks *callbacks);
lode_outcome lode_end_block(lode_call call, const lode_callbacks *callbacks);
/* Executes a message whose signer was checked. After a refusal nothing was set. */
lode_outcome lode_execute(lode_call call, const lode_callbacks *callbacks, lode_bytes type_url,
                          lode_bytes message);
lode_outcome lode_query(lode_call call, const lode_callbacks *callbacks, lode_bytes path,
                        lode_bytes question);

/* Seeds: one for each height, from the validators' verifiable random function (RFC 9381,
 * ECVRF-EDWARDS25519-SHA512-TAI). These return LODE_OK, or LODE_FAILED where the input is wrong. */
#define LODE_SEED_SIZE 32
#define LODE_VRF_KEY_SIZE 32
#define LODE_VRF_PROOF_SIZE 80
#define LODE_VRF_OUTPUT_SIZE 64
int32_t lode_seed_first(lode_bytes chain_id, uint8_t *seed);
/* `outputs` stand one behind the other, in any order. */
int32_t lode_seed_next(lode_bytes previous, lode_bytes outputs, uint8_t *seed);
int32_t lode_vrf_public(lode_bytes secret, uint8_t *key);
/* What `secret` says of the height after the one with the seed `previous`. */
int32_t lode_vrf_prove(lode_bytes secret, lode_bytes previous, uint64_t height, uint8_t *proof);
int32_t lode_vrf_verify(lode_bytes key, lode_bytes previous, uint64_t height, lode_bytes proof,
                        uint8_t *output);
