// What anybody can ask of the market, as an extension of CosmJS's QueryClient.
import { PACKAGE, methods } from "./schema.mjs";
import { types } from "./types.mjs";

/** `new QueryClient(comet)` with `market`: `QueryClient.withExtensions(comet, setupMarketExtension)`. */
export function setupMarketExtension(base) {
  const market = {};
  for (const { name, input, output } of methods("Query")) {
    market[name[0].toLowerCase() + name.slice(1)] = async (question = {}) => {
      const asked = types[input].encode(question).finish();
      const { value } = await base.queryAbci(`/${PACKAGE}.Query/${name}`, asked);
      return types[output].decode(value);
    };
  }
  return { market };
}
