// Messages as amino JSON, which hardware wallets show and sign, by the rules of the Cosmos SDK: names as
// in the schema, 64-bit numbers as strings, bytes as base64, what has its default left out.
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { PACKAGE, messages, methods } from "./schema.mjs";
import { isDefault, types } from "./types.mjs";

/** Whether a message, or one in it, holds a choice: the SDK has no amino JSON for those of the market. */
const hasChoice = (message) =>
  message.fields.some(({ oneof, of, kind }) =>
    oneof !== undefined || (kind === "message" && hasChoice(messages[of])));

function toJson(message, value) {
  const written = {};
  for (const field of message.fields) {
    const held = value[field.property];
    if (isDefault(held, field) && !field.kept) continue;
    const one = (item) => oneToJson(field, item);
    written[field.name] = field.repeated ? held.map(one) : one(held);
  }
  return written;
}

function oneToJson(field, value) {
  if (field.kind === "message") return toJson(messages[field.of], value);
  if (field.kind === "bytes") return base64Encode(value);
  return typeof value === "bigint" ? value.toString() : value;
}

function fromJson(message, written) {
  const known = new Map(message.fields.map((field) => [field.name, field]));
  const value = {};
  for (const [name, held] of Object.entries(written)) {
    const field = known.get(name);
    if (field === undefined) throw new TypeError(`${message.name} has no field ${name}`);
    const one = (item) => oneFromJson(field, item);
    value[field.property] = field.repeated ? held.map(one) : one(held);
  }
  return value;
}

function oneFromJson(field, written) {
  if (field.kind === "message") return fromJson(messages[field.of], written);
  return field.kind === "bytes" ? base64Decode(written) : written;
}

function converter(message) {
  const type = types[message.name];
  return {
    aminoType: message.amino,
    toAmino: (value) => toJson(message, type.fromPartial(value)),
    fromAmino: (written) => type.fromPartial(fromJson(message, written)),
  };
}

/** For `new AminoTypes({...})` of CosmJS: all messages of accounts but `MsgSubmitProofs` and `MsgProveOvercount`. */
export const aminoConverters = Object.freeze(
  Object.fromEntries(
    methods("Msg")
      .map(({ input }) => messages[input])
      .filter((message) => !hasChoice(message))
      .map((message) => [`/${PACKAGE}.${message.name}`, converter(message)]),
  ),
);
