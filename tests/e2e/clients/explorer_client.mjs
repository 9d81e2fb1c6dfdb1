// Asks a node over REST and RPC what explorers and wallets ask.
//
// usage: explorer_client.mjs RPC REST|none ADDRESS
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { marketOf } from "./market.mjs";

const [rpc, rest, address] = process.argv.slice(2);

async function get(base, path) {
  const answer = await fetch(base + path);
  const text = await answer.text();
  assert.equal(answer.status, 200, `${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

const comet = async (path) => (await get(rpc, path)).result;

async function overRpc() {
  const { node_info, sync_info, validator_info } = await comet("/status");
  assert.ok(node_info.network && BigInt(sync_info.latest_block_height) > 1n);
  const height = BigInt(sync_info.latest_block_height) - 1n;
  const { block_id, block } = await comet(`/block?height=${height}`);
  assert.equal(block.header.height, String(height));
  assert.equal((await comet(`/block_by_hash?hash=0x${block_id.hash}`)).block.header.height, String(height));
  assert.equal((await comet(`/block_results?height=${height}`)).height, String(height));
  assert.equal((await comet(`/header?height=${height}`)).header.app_hash, block.header.app_hash);
  assert.equal((await comet(`/commit?height=${height}`)).signed_header.header.height, String(height));
  const { block_metas } = await comet(`/blockchain?minHeight=1&maxHeight=${height}`);
  assert.equal(block_metas[0].block_id.hash, block_id.hash);
  const { validators } = await comet(`/validators?height=${height}`);
  assert.ok(validators.some((v) => v.address === validator_info.address));
  assert.ok((await comet(`/consensus_params?height=${height}`)).consensus_params.block.max_bytes);
  assert.ok((await comet("/genesis")).genesis.chain_id === node_info.network);
  assert.ok((await comet("/abci_info")).response.last_block_height);
  assert.ok((await comet("/net_info")).listening !== undefined);
  assert.ok(await comet("/unconfirmed_txs"));
  const sender = encodeURIComponent(`"message.sender='${address}'"`);
  const { txs } = await comet(`/tx_search?query=${sender}&order_by="desc"`);
  assert.ok(txs.length > 0, "no transactions of the address are found");
  const { height: found } = await comet(`/tx?hash=0x${txs[0].hash}`);
  assert.equal(found, txs[0].height);
  const query = encodeURIComponent(`"block.height=${found}"`);
  assert.equal((await comet(`/block_search?query=${query}`)).blocks.length, 1);
  return txs[0].hash;
}

async function overRest(hash) {
  const { balances } = await get(rest, `/cosmos/bank/v1beta1/balances/${address}`);
  assert.ok(balances.some(({ denom }) => denom === "ulode"));
  const one = await get(rest, `/cosmos/bank/v1beta1/balances/${address}/by_denom?denom=ulode`);
  assert.deepEqual(one.balance, balances.find(({ denom }) => denom === "ulode"));
  assert.ok((await get(rest, `/cosmos/bank/v1beta1/spendable_balances/${address}`)).balances.length > 0);
  assert.ok((await get(rest, "/cosmos/bank/v1beta1/supply")).supply.length > 0);
  const { account } = await get(rest, `/cosmos/auth/v1beta1/accounts/${address}`);
  assert.equal(account.address, address);
  const { tx_response: told } = await get(rest, `/cosmos/tx/v1beta1/txs/${hash}`);
  assert.equal(told.txhash, hash);
  const query = encodeURIComponent(`message.sender='${address}'`);
  const found = await get(rest, `/cosmos/tx/v1beta1/txs?query=${query}&order_by=ORDER_BY_DESC&limit=5`);
  assert.ok(found.tx_responses.some(({ txhash }) => txhash === hash));
  assert.ok((await get(rest, `/cosmos/tx/v1beta1/txs/block/${told.height}`)).txs.length > 0);
  const { validators } = await get(rest, "/cosmos/staking/v1beta1/validators?status=BOND_STATUS_BONDED");
  assert.ok(validators.length > 0);
  assert.ok((await get(rest, `/cosmos/staking/v1beta1/validators/${validators[0].operator_address}`)).validator);
  assert.equal((await get(rest, `/cosmos/staking/v1beta1/delegations/${address}`)).delegation_responses.length, 0);
  assert.equal((await get(rest, "/cosmos/staking/v1beta1/params")).params.bond_denom, "ulode");
  assert.ok((await get(rest, "/cosmos/staking/v1beta1/pool")).pool.bonded_tokens);
  assert.ok((await get(rest, `/cosmos/distribution/v1beta1/delegators/${address}/rewards`)).rewards);
  assert.ok((await get(rest, "/cosmos/slashing/v1beta1/signing_infos")).info.length > 0);
  assert.ok((await get(rest, "/cosmos/gov/v1/proposals")).proposals);
  assert.ok((await get(rest, "/cosmos/gov/v1/params/voting")).params);
  assert.equal((await get(rest, "/cosmos/mint/v1beta1/inflation")).inflation, "0.000000000000000000");
  const info = await get(rest, "/cosmos/base/tendermint/v1beta1/node_info");
  assert.equal(info.application_version.app_name, "loded");
  const latest = await get(rest, "/cosmos/base/tendermint/v1beta1/blocks/latest");
  assert.equal(latest.block.header.chain_id, info.default_node_info.network);
  assert.ok((await get(rest, "/cosmos/base/tendermint/v1beta1/validatorsets/latest")).validators.length > 0);
  assert.equal((await get(rest, "/cosmos/base/tendermint/v1beta1/syncing")).syncing, false);
}

/** What the entry for the chain registry says, as far as a node knows it. */
async function asRegistered() {
  const place = new URL("deploy/networks/chain-registry/lodelocal/chain.json", import.meta.url);
  const entry = JSON.parse(readFileSync(place, "utf8"));
  const { application_version: program } = await get(rest, "/cosmos/base/tendermint/v1beta1/node_info");
  assert.equal(program.app_name, entry.daemon_name);
  assert.equal(`v${program.version}`, entry.codebase.recommended_version);
  assert.equal(program.cosmos_sdk_version, entry.codebase.sdk.version);
  const comet = program.build_deps.find(({ path }) => path === "github.com/cometbft/cometbft");
  assert.equal(comet.version, entry.codebase.consensus.version);
  assert.equal((await get(rest, "/cosmos/auth/v1beta1/bech32")).bech32_prefix, entry.bech32_prefix);
  const [fee] = entry.fees.fee_tokens;
  const { minimum_gas_price: least } = await get(rest, "/cosmos/base/node/v1beta1/config");
  assert.equal(Number.parseFloat(least), fee.fixed_min_gas_price);
  assert.ok(least.endsWith(fee.denom));
}

async function marketOverRest() {
  const typed = await marketOf(rpc);
  const { start } = await get(rest, "/lode/market/v1/clock");
  assert.ok(BigInt(start) <= (await typed.clock()).start);
  const { services } = await get(rest, "/lode/market/v1/services");
  assert.deepEqual(services.map(({ id }) => id), (await typed.services()).services.map(({ id }) => id));
  const params = await get(rest, "/lode/market/v1/params");
  assert.equal(params.gateway_stake_min, (await typed.params()).gatewayStakeMin);
  assert.ok((await get(rest, `/lode/market/v1/price?service=${services[0].id}`)).price);
  assert.ok((await get(rest, `/lode/market/v1/app?app=${address}`)).escrow.length > 0);
  assert.ok((await get(rest, "/lode/market/v1/invariants")).invariants.length > 0);
}

const hash = await overRpc();
console.log(JSON.stringify({ passed: "RPC" }));
if (rest !== "none") {
  await overRest(hash);
  await marketOverRest();
  await asRegistered();
  console.log(JSON.stringify({ passed: "REST" }));
}
