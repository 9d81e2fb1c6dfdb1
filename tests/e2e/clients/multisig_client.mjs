// An account of three keys, of which two sign: it pays, and deposits in the market.
//
// usage: multisig_client.mjs RPC MNEMONIC RECIPIENT taken|refused
import assert from "node:assert/strict";
import {
  Secp256k1HdWallet,
  createMultisigThresholdPubkey,
  encodeSecp256k1Pubkey,
  makeCosmoshubPath,
  pubkeyToAddress,
} from "@cosmjs/amino";
import { SigningStargateClient, calculateFee, makeMultisignedTxBytes } from "@cosmjs/stargate";
import { connect, marketOf, message, options, ulode } from "./market.mjs";

const [rpc, mnemonic, recipient, expected] = process.argv.slice(2);
const wallets = await Promise.all([0, 1, 2].map((account) =>
  Secp256k1HdWallet.fromMnemonic(mnemonic, { prefix: "lode", hdPaths: [makeCosmoshubPath(account)] })));
const members = await Promise.all(wallets.map(async (wallet) => (await wallet.getAccounts())[0]));
const pubkey = createMultisigThresholdPubkey(members.map((m) => encodeSecp256k1Pubkey(m.pubkey)), 2);
const shared = pubkeyToAddress(pubkey, "lode");

const { address, client } = await connect(rpc, wallets[0]);
const funded = await client.sendTokens(address, shared, [ulode(100_000)], "auto");
assert.equal(funded.code, 0, funded.rawLog);

const messages = [
  {
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    value: { fromAddress: shared, toAddress: recipient, amount: [ulode(1234)] },
  },
  message("MsgDeposit", { app: shared, coin: ulode(5000) }),
];
const fee = calculateFee(400_000, options.gasPrice);

/** The transaction with the signatures of the members whose places are in `who`. */
async function signedBy(who) {
  const { accountNumber, sequence } = await client.getSequence(shared);
  const account = { accountNumber, sequence, chainId: await client.getChainId() };
  const signatures = new Map();
  let body;
  for (const place of who) {
    const offline = await SigningStargateClient.offline(wallets[place], options);
    const signed = await offline.sign(members[place].address, messages, fee, "two of three", account);
    signatures.set(members[place].address, signed.signatures[0]);
    body = signed.bodyBytes;
  }
  return makeMultisignedTxBytes(pubkey, sequence, fee, body, signatures);
}

if (expected === "refused") {
  await assert.rejects(client.broadcastTxSync(await signedBy([0, 2])), (error) => {
    console.log(JSON.stringify({ refused: error.message }));
    return true;
  });
} else {
  await assert.rejects(client.broadcastTxSync(await signedBy([1])), /unauthorized|signature|invalid/);
  for (const who of [[0, 2], [1, 2]]) {
    const before = BigInt((await client.getBalance(recipient, "ulode")).amount);
    const sent = await client.broadcastTx(await signedBy(who));
    assert.equal(sent.code, 0, sent.rawLog);
    assert.equal(BigInt((await client.getBalance(recipient, "ulode")).amount) - before, 1234n);
  }
  const { escrow } = await (await marketOf(rpc)).app({ app: shared });
  assert.deepEqual(escrow, [{ app: shared, denom: "ulode", amount: "10000" }]);
  console.log(JSON.stringify({ passed: "two of three" }));
}
