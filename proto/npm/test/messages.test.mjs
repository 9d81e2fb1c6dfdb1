import assert from "node:assert/strict";
import { test } from "node:test";
import { AminoTypes, QueryClient } from "@cosmjs/stargate";
import { Registry } from "@cosmjs/proto-signing";
import protobuf from "protobufjs";
import { aminoConverters, registryTypes, setupMarketExtension, types } from "../index.mjs";
import { generate, kept, load } from "../generate.mjs";
import { messages } from "../schema.mjs";

/** A value of each field's kind that is not its default, and far from small. */
const SAMPLES = {
  bool: true,
  bytes: Uint8Array.of(0, 255, 7),
  enum: 1,
  int32: -5,
  int64: -(2n ** 62n) - 1n,
  string: "lode1… <&> ü",
  uint32: 2 ** 32 - 1,
  uint64: 2n ** 64n - 1n,
};

function sample(message) {
  const chosen = new Set();
  const value = {};
  for (const field of message.fields) {
    if (field.oneof !== undefined && chosen.has(field.oneof)) continue;
    chosen.add(field.oneof);
    const one = field.kind === "message" ? sample(messages[field.of]) : SAMPLES[field.kind];
    value[field.property] = field.repeated ? [one, one] : one;
  }
  return value;
}

/** The same value with the names and numbers of protobuf.js. */
function asPlain(message, value) {
  const one = (field, held) => {
    if (field.kind === "message") return asPlain(messages[field.of], held);
    return typeof held === "bigint" ? held.toString() : held;
  };
  const held = message.fields.filter(({ property }) => value[property] !== undefined);
  return Object.fromEntries(held.map((field) => {
    const item = value[field.property];
    return [field.name, field.repeated ? item.map((each) => one(field, each)) : one(field, item)];
  }));
}

test("the kept files are what the schema says", () => {
  for (const [name, fresh] of Object.entries(generate())) {
    assert.ok(fresh === kept(name), `${name} is stale: run npm run generate in proto/npm`);
  }
});

test("every message has the bytes that another implementation writes, and comes back", () => {
  const root = load();
  for (const message of Object.values(messages)) {
    const type = types[message.name];
    const other = root.lookupType(type.typeUrl.slice(1));
    const value = sample(message);
    const bytes = type.encode(value).finish();
    const theirs = other.encode(other.fromObject(asPlain(message, value))).finish();
    assert.equal(Buffer.from(bytes).toString("hex"), Buffer.from(theirs).toString("hex"), message.name);
    assert.deepEqual(type.encode(type.decode(bytes)).finish(), bytes);
  }
});

test("what has its default does not travel", () => {
  for (const type of Object.values(types)) assert.equal(type.encode({}).finish().length, 0);
  const explicit = { app: "", gateway: "", expires: 0n };
  assert.equal(types.MsgDelegate.encode(explicit).finish().length, 0);
});

test("fields of a newer chain are passed over", () => {
  const newer = protobuf.Writer.create().uint32(15 << 3).uint32(9).uint32(8).uint32(4).finish();
  assert.equal(types.AnswerClock.decode(newer).height, 4n);
});

test("bytes that end too early are refused", () => {
  const bytes = types.MsgDeposit.encode({ app: "a", coin: { denom: "ulode" } }).finish();
  for (let end = 1; end < bytes.length; end += 1) {
    if (end === 3) continue; // There the first field ends.
    assert.throws(() => types.MsgDeposit.decode(bytes.slice(0, end)), RangeError, `${end} bytes`);
  }
});

test("a wrong value is refused with its place and what fits", () => {
  const refused = (type, value, said) => assert.throws(() => types[type].encode(value), said);
  refused("MsgDeposit", { application: "a" }, /MsgDeposit has no field application: it has app, coin/);
  refused("MsgDeposit", { coin: { denom: 5 } }, /MsgDeposit\.coin\.denom is a number: it takes a string/);
  refused("MsgDelegate", { expires: -1 }, /MsgDelegate\.expires is -1: uint64 goes from 0 to/);
  refused("MsgDelegate", { expires: 2 ** 60 }, /a large one as bigint/);
  refused("AckProof", { request: {}, ack: {} }, /AckProof has one head/);
});

test("amino JSON follows the SDK's rules, and comes back", () => {
  const amino = new AminoTypes(aminoConverters);
  const delegate = {
    typeUrl: "/lode.market.v1.MsgStakeSupplier",
    value: types.MsgStakeSupplier.fromPartial({
      owner: "lode1owner",
      add: { denom: "ulode", amount: "5" },
      relayKey: Uint8Array.of(251, 255),
      offers: [{ service: "m", ask: 2n ** 60n }, {}],
      payouts: [{ to: "lode1to", share: 1_000_000 }],
    }),
  };
  const written = amino.toAmino(delegate);
  assert.deepEqual(written, {
    type: "lode/MsgStakeSupplier",
    value: {
      owner: "lode1owner",
      add: { denom: "ulode", amount: "5" },
      relay_key: "+/8=",
      offers: [{ service: "m", ask: "1152921504606846976" }, {}],
      payouts: [{ to: "lode1to", share: 1000000 }],
    },
  });
  assert.deepEqual(amino.fromAmino(written), delegate);
});

test("a message with a choice in it has no amino JSON", () => {
  const without = registryTypes.map(([url]) => url).filter((url) => !(url in aminoConverters));
  assert.deepEqual(without, ["/lode.market.v1.MsgSubmitProofs", "/lode.market.v1.MsgProveOvercount"]);
});

test("CosmJS takes the types into its registry", () => {
  const registry = new Registry(registryTypes);
  for (const [typeUrl] of registryTypes) {
    const value = sample(messages[typeUrl.split(".").pop()]);
    const any = registry.encodeAsAny({ typeUrl, value });
    assert.deepEqual(registry.decode(any), types[typeUrl.split(".").pop()].fromPartial(value));
  }
});

test("a query goes to its path and its answer is read", async () => {
  const asked = [];
  const comet = {
    abciQuery: async ({ path, data }) => {
      asked.push([path, Buffer.from(data).toString("hex")]);
      return { code: 0, height: 1, value: types.AnswerClock.encode({ height: 3 }).finish() };
    },
  };
  const client = QueryClient.withExtensions(comet, setupMarketExtension);
  assert.equal((await client.market.clock()).height, 3n);
  await client.market.seed({ height: 4n });
  assert.deepEqual(asked, [["/lode.market.v1.Query/Clock", ""], ["/lode.market.v1.Query/Seed", "0804"]]);
});
