// Compares a record that was proven with what the node answers.
//
// usage: claim.mjs RPC SESSION OPERATOR RECORD
import assert from "node:assert/strict";
import { fromHex } from "@cosmjs/encoding";
import { types } from "@lode/messages";
import { marketOf } from "./market.mjs";

const [rpc, session, operator, record] = process.argv.slice(2);
const proven = types.Settled.decode(fromHex(record));
const asked = await (await marketOf(rpc)).settled({ sessionId: fromHex(session), operator });
assert.deepEqual(proven, asked);
assert.ok(proven.root.count > 0n && BigInt(proven.cost) > 0n && proven.reason === "");
console.log(JSON.stringify({ passed: "claim", cost: proven.cost }));
