// Uses the market as a wallet's app would: typed messages, signed in both ways, simulated and refused.
//
// usage: wallet_client.mjs RPC MNEMONIC GATEWAY SERVICE
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Secp256k1HdWallet } from "@cosmjs/amino";
import { Ed25519 } from "@cosmjs/crypto";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { calculateFee } from "@cosmjs/stargate";
import { connect, marketOf, message, nobody, options, ulode } from "./market.mjs";

const [rpc, mnemonic, gateway, service] = process.argv.slice(2);
const market = await marketOf(rpc);
const params = await market.params();
const relayKey = async () => (await Ed25519.makeKeypair(randomBytes(32))).pubkey;
const gatewayKey = await relayKey();

for (const Wallet of [DirectSecp256k1HdWallet, Secp256k1HdWallet]) {
  const wallet = await Wallet.fromMnemonic(mnemonic, { prefix: "lode" });
  const { address, client } = await connect(rpc, wallet);
  const send = async (...messages) => {
    const sent = await client.signAndBroadcast(address, messages, "auto", "for the market <&>");
    assert.equal(sent.code, 0, sent.rawLog);
    return sent;
  };
  const escrow = async () => BigInt((await market.app({ app: address })).escrow[0]?.amount ?? 0);

  const before = await escrow();
  const expires = BigInt(await client.getHeight()) + 2n ** 40n;
  const sent = await send(
    message("MsgDeposit", { app: address, coin: ulode(5000) }),
    message("MsgDelegate", { app: address, gateway, limit: ulode(3000), expires }),
    message("MsgWithdraw", { app: address, coin: ulode(2000) }),
  );
  assert.equal(await escrow(), before + 3000n);
  const { delegations } = await market.app({ app: address });
  assert.deepEqual(delegations, [{ app: address, gateway, denom: "ulode", limit: "3000", expires }]);
  const { tx } = await client.getTx(sent.transactionHash);
  assert.ok(tx.length > 0);
  await send(message("MsgUndelegate", { app: address, gateway }));
  assert.deepEqual((await market.app({ app: address })).delegations, []);

  await send(message("MsgStakeGateway", {
    gateway: address,
    add: ulode(params.gatewayStakeMin),
    relayKey: gatewayKey,
  }));
  assert.deepEqual((await market.gateway({ address })).relayKey, gatewayKey);

  const operator = nobody();
  const offers = [{ service, ask: 2n ** 53n + 1n, capacity: 2n ** 63n }];
  const payouts = [{ to: address, share: 400_000 }, { to: gateway, share: 600_000 }];
  await send(message("MsgStakeSupplier", {
    owner: address,
    operator,
    add: ulode(params.supplierStakeMin),
    relayKey: await relayKey(),
    endpoint: "http://127.0.0.1:9",
    offers,
    payouts,
  }));
  const staked = await market.supplier({ operator });
  assert.deepEqual([staked.offers, staked.payouts], [offers, payouts]);
  await send(message("MsgUnstakeSupplier", { owner: address, operator }));

  const tooMuch = message("MsgWithdraw", { app: address, coin: ulode((await escrow()) + 1n) });
  await assert.rejects(client.simulate(address, [tooMuch], ""), /deposit more/);
  const fee = calculateFee(300_000, options.gasPrice);
  const refused = await client.signAndBroadcast(address, [tooMuch], fee);
  assert.equal(refused.code, 17, refused.rawLog);
  assert.match((await client.getTx(refused.transactionHash)).rawLog, /deposit more/);
  console.log(JSON.stringify({ passed: Wallet.name }));
}

await assert.rejects(market.supplier({ operator: nobody() }), /lode1/);
console.log(JSON.stringify({ passed: "questions" }));
