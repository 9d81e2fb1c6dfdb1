// Prints the height and hash of an early header, which a light client's user gets from somebody it trusts.
//
// usage: trusted.mjs RPC
import { connectComet } from "@cosmjs/tendermint-rpc";
import { toHex } from "@cosmjs/encoding";

const comet = await connectComet(process.argv[2]);
const { blockId } = await comet.block(2);
console.log(`2 ${toHex(blockId.hash)}`);
comet.disconnect();
