// What the scripts here share: CosmJS with the market's messages, as an app would set it up.
import { randomBytes } from "node:crypto";
import { toBech32 } from "@cosmjs/encoding";
import { Registry } from "@cosmjs/proto-signing";
import {
  AminoTypes,
  GasPrice,
  QueryClient,
  SigningStargateClient,
  createDefaultAminoConverters,
  defaultRegistryTypes,
} from "@cosmjs/stargate";
import { connectComet } from "@cosmjs/tendermint-rpc";
import { aminoConverters, registryTypes, setupMarketExtension } from "@lode/messages";

export const ulode = (amount) => ({ denom: "ulode", amount: String(amount) });

export const options = {
  registry: new Registry([...defaultRegistryTypes, ...registryTypes]),
  aminoTypes: new AminoTypes({ ...createDefaultAminoConverters(), ...aminoConverters }),
  gasPrice: GasPrice.fromString("0.01ulode"),
};

/** A client that signs for `wallet`, and its address. */
export async function connect(rpc, wallet) {
  const [{ address }] = await wallet.getAccounts();
  return { address, client: await SigningStargateClient.connectWithSigner(rpc, wallet, options) };
}

/** The market's queries, asked through RPC. */
export async function marketOf(rpc) {
  return QueryClient.withExtensions(await connectComet(rpc), setupMarketExtension).market;
}

export const message = (name, value) => ({ typeUrl: `/lode.market.v1.${name}`, value });

/** An address of nobody. */
export const nobody = () => toBech32("lode", randomBytes(20));
