// The entries for wallets and explorers fit the public schemas and each other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { validateBasicChainInfoType } from "@keplr-wallet/chain-validator";
import Ajv from "ajv";
import formats from "ajv-formats";

const read = (name) =>
  JSON.parse(readFileSync(new URL(`deploy/networks/chain-registry/${name}`, import.meta.url), "utf8"));
const [chain, assets, keplr] = ["lodelocal/chain.json", "lodelocal/assetlist.json", "keplr.json"].map(read);

function fits(entry, name) {
  // The schemas name draft 7 by an address that Ajv does not know, and use keywords of later drafts.
  const { $schema, ...schema } = read(`schemas/${name}.schema.json`);
  assert.match($schema, /draft-07/);
  const validate = formats(new Ajv({ allErrors: true, strict: false })).compile(schema);
  return validate(entry) ? [] : validate.errors.map((e) => `${e.instancePath} ${e.message}`);
}

test("the entries fit the chain registry's schemas", () => {
  assert.deepEqual(fits(chain, "chain"), []);
  assert.deepEqual(fits(assets, "assetlist"), []);
});

test("the schemas are really applied", () => {
  assert.deepEqual(fits({ ...chain, status: "running" }, "chain").length, 1);
  const { base, ...without } = assets.assets[0];
  assert.ok(base && fits({ ...assets, assets: [without] }, "assetlist").length > 0);
});

test("Keplr takes its entry, and knows every field of it", async () => {
  assert.deepEqual(await validateBasicChainInfoType(structuredClone(keplr)), keplr);
});

test("the three entries say the same", () => {
  const [asset] = assets.assets;
  const [fee] = chain.fees.fee_tokens;
  const coin = {
    coinDenom: asset.symbol,
    coinMinimalDenom: asset.base,
    coinDecimals: asset.denom_units.find(({ denom }) => denom === asset.display).exponent,
  };
  const gasPriceStep = { low: fee.low_gas_price, average: fee.average_gas_price, high: fee.high_gas_price };
  assert.equal(assets.chain_name, chain.chain_name);
  assert.deepEqual(keplr.currencies, [coin]);
  assert.deepEqual(keplr.stakeCurrency, coin);
  assert.deepEqual(keplr.feeCurrencies, [{ ...coin, gasPriceStep }]);
  assert.deepEqual([keplr.chainId, keplr.chainName], [chain.chain_id, chain.pretty_name]);
  assert.deepEqual([keplr.rpc, keplr.rest], [chain.apis.rpc[0].address, chain.apis.rest[0].address]);
  assert.equal(keplr.bip44.coinType, chain.slip44);
  assert.equal(keplr.bech32Config.bech32PrefixAccAddr, chain.bech32_prefix);
  assert.ok(chain.staking.staking_tokens.every(({ denom }) => denom === asset.base));
});
