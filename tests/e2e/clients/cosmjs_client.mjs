// Drives a chain with the real CosmJS, as a wallet would.
//
// usage: cosmjs_client.mjs RPC MNEMONIC RECIPIENT
import assert from "node:assert/strict";
import { Secp256k1HdWallet } from "@cosmjs/amino";
import { DirectSecp256k1HdWallet } from "@cosmjs/proto-signing";
import { GasPrice, SigningStargateClient } from "@cosmjs/stargate";

const [rpc, mnemonic, recipient] = process.argv.slice(2);
const coins = [{ denom: "ulode", amount: "1234" }];
const memo = 'a memo with <&> and "ü"';

for (const Wallet of [DirectSecp256k1HdWallet, Secp256k1HdWallet]) {
  const wallet = await Wallet.fromMnemonic(mnemonic, { prefix: "lode" });
  const [{ address }] = await wallet.getAccounts();
  const client = await SigningStargateClient.connectWithSigner(rpc, wallet, {
    gasPrice: GasPrice.fromString("0.01ulode"),
  });
  const before = BigInt((await client.getBalance(recipient, "ulode")).amount);
  const message = {
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    value: { fromAddress: address, toAddress: recipient, amount: coins },
  };
  const gas = await client.simulate(address, [message], memo);
  assert.ok(gas > 0, `simulate gave ${gas}`);
  const sent = await client.sendTokens(address, recipient, coins, "auto", memo);
  assert.equal(sent.code, 0, sent.rawLog);
  const after = BigInt((await client.getBalance(recipient, "ulode")).amount);
  assert.equal(after - before, 1234n);
  const found = await client.getTx(sent.transactionHash);
  assert.equal(found.height, sent.height);
  const mine = await client.searchTx([{ key: "message.sender", value: address }]);
  assert.ok(mine.some((tx) => tx.hash === sent.transactionHash));
  console.log(JSON.stringify({ passed: Wallet.name }));
}
