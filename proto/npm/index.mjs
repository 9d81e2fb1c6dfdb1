// Messages and queries of Lode's market, for CosmJS and whatever takes its types.
import { PACKAGE, enums, methods } from "./schema.mjs";
import { types } from "./types.mjs";

export { aminoConverters } from "./amino.mjs";
export { setupMarketExtension } from "./queries.mjs";
export { types };
export const { Phase, Standing, Status } = enums;

/** For `new Registry([...defaultRegistryTypes, ...registryTypes])` of CosmJS: what accounts can ask. */
export const registryTypes = Object.freeze(
  methods("Msg").map(({ input }) => [`/${PACKAGE}.${input}`, types[input]]),
);
