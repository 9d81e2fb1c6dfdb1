// Each message as a type that CosmJS takes into its registry: fromPartial, encode, decode.
//
// Bytes have one form: fields in the order of their numbers, and what has its default left out.
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { PACKAGE, messages } from "./schema.mjs";

const BOUNDS = {
  enum: [0n, 2n ** 31n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Messages lie in messages this deep at most; the schema's deepest lie five deep. */
const DEPTH_MAX = 16;

const isLong = (kind) => kind === "int64" || kind === "uint64";

function defaultOf(field) {
  if (field.repeated) return [];
  if (isLong(field.kind)) return 0n;
  if (field.kind === "message") return undefined;
  if (field.kind === "bytes") return new Uint8Array();
  if (field.kind === "string") return "";
  return field.kind === "bool" ? false : 0;
}

function number(value, field, where) {
  const [least, most] = BOUNDS[field.kind];
  const exact = typeof value === "number" ? Number.isSafeInteger(value) : true;
  if (!exact || !["bigint", "number", "string"].includes(typeof value)) {
    throw new TypeError(`${where} is ${value}: it takes a whole number, a large one as bigint`);
  }
  const whole = BigInt(value);
  if (whole < least || whole > most) {
    throw new RangeError(`${where} is ${whole}: ${field.kind} goes from ${least} to ${most}`);
  }
  return isLong(field.kind) ? whole : Number(whole);
}

function single(value, field, where) {
  if (field.kind === "message") return complete(messages[field.of], value, where);
  if (field.kind in BOUNDS) return number(value, field, where);
  const fits = field.kind === "bytes" ? value instanceof Uint8Array
    : typeof value === (field.kind === "bool" ? "boolean" : "string");
  if (fits) return value;
  const wanted = field.kind === "bytes" ? "a Uint8Array" : `a ${field.kind}`;
  throw new TypeError(`${where} is a ${typeof value}: it takes ${wanted}`);
}

/** `partial` with all fields; a name that the message does not have is refused, as is a wrong value. */
function complete(message, partial, where = message.name) {
  if (typeof partial !== "object" || partial === null) {
    throw new TypeError(`${where} is ${partial}: it takes an object`);
  }
  const known = message.fields.map(({ property }) => property);
  const unknown = Object.keys(partial).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${where} has no field ${unknown}: it has ${known.join(", ") || "none"}`);
  }
  const made = {};
  for (const field of message.fields) {
    const value = partial[field.property];
    const here = `${where}.${field.property}`;
    if (value === undefined || value === null) made[field.property] = defaultOf(field);
    else if (!field.repeated) made[field.property] = single(value, field, here);
    else made[field.property] = Array.from(value, (one, i) => single(one, field, `${here}[${i}]`));
  }
  return made;
}

/** Whether a field has its default, and so does not travel. */
export function isDefault(value, field) {
  if (field.repeated || field.kind === "bytes") return value.length === 0;
  return value === undefined || value === "" || value === false || value == 0;
}

function writeOne(writer, field, value) {
  if (field.kind === "message") {
    write(messages[field.of], value, writer.tag(field.number, WireType.LengthDelimited).fork()).join();
  } else if (field.kind === "bytes" || field.kind === "string") {
    writer.tag(field.number, WireType.LengthDelimited)[field.kind](value);
  } else {
    writer.tag(field.number, WireType.Varint)[field.kind === "enum" ? "int32" : field.kind](value);
  }
}

function write(message, value, writer) {
  const chosen = new Set();
  for (const field of message.fields) {
    const held = value[field.property];
    if (isDefault(held, field)) continue;
    if (field.oneof !== undefined && chosen.has(field.oneof)) {
      throw new TypeError(`${message.name} has one ${field.oneof}: leave the others out`);
    }
    chosen.add(field.oneof);
    for (const one of field.repeated ? held : [held]) writeOne(writer, field, one);
  }
  return writer;
}

function readOne(reader, field, depth) {
  if (field.kind !== "message") {
    const value = reader[field.kind === "enum" ? "int32" : field.kind]();
    return isLong(field.kind) ? BigInt(value) : value;
  }
  if (depth === DEPTH_MAX) throw new RangeError(`messages lie more than ${DEPTH_MAX} deep`);
  const length = reader.uint32();
  return read(messages[field.of], reader, depth + 1, reader.pos + length);
}

function read(message, reader, depth, end) {
  if (end > reader.len) throw new RangeError(`${message.name} ends ${end - reader.len} bytes too early`);
  const made = complete(message, {});
  while (reader.pos < end) {
    const [id, wireType] = reader.tag();
    const field = message.fields.find(({ number }) => number === id);
    // A newer chain may answer with fields that this version does not know.
    if (field === undefined) {
      reader.skip(wireType, id);
      continue;
    }
    const value = readOne(reader, field, depth);
    if (field.repeated) made[field.property].push(value);
    else made[field.property] = value;
  }
  if (reader.pos !== end) throw new RangeError(`${message.name} ends within a field`);
  return made;
}

/** Reads `length` bytes of `input`, all that there are where it is not given. */
function decode(message, input, length) {
  const reader = input instanceof Uint8Array ? new BinaryReader(input) : input;
  return read(message, reader, 0, length === undefined ? reader.len : reader.pos + length);
}

function typeOf(message) {
  const fromPartial = (partial) => complete(message, partial);
  return Object.freeze({
    typeUrl: message.name === "Coin" ? "/cosmos.base.v1beta1.Coin" : `/${PACKAGE}.${message.name}`,
    fromPartial,
    encode: (partial, writer = new BinaryWriter()) => write(message, fromPartial(partial), writer),
    decode: (input, length) => decode(message, input, length),
  });
}

/** Every message's type, by its name: `types.MsgDeposit`. */
export const types = Object.freeze(
  Object.fromEntries(Object.values(messages).map((message) => [message.name, typeOf(message)])),
);
