// The generated description of all messages, made quick to look up.
import description from "./messages.mjs";

export const PACKAGE = "lode.market.v1";

/** What `path`, such as `cosmos.base.v1beta1`, holds. */
function at(path) {
  return path.split(".").reduce((place, name) => place.nested[name], description);
}

const market = at(PACKAGE).nested;
const coins = at("cosmos.base.v1beta1").nested;

const entries = { ...market, Coin: coins.Coin };

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** `Coin` of `cosmos.base.v1beta1.Coin`: names without a package are ours. */
const short = (name) => name.slice(name.lastIndexOf(".") + 1);

const SCALARS = new Set(["bool", "bytes", "int32", "int64", "string", "uint32", "uint64"]);

function fieldOf(name, { type, id, rule, options }, oneofs) {
  return {
    name,
    property: camel(name),
    number: id,
    // A scalar's name, `enum`, or `message`.
    kind: SCALARS.has(type) ? type : entries[short(type)].values ? "enum" : "message",
    of: SCALARS.has(type) ? undefined : short(type),
    repeated: rule === "repeated",
    oneof: Object.keys(oneofs).find((oneof) => oneofs[oneof].oneof.includes(name)),
    kept: options?.["(amino.dont_omitempty)"] === true,
  };
}



/** All messages by name: their fields in the order of numbers, and the name in amino JSON. */
export const messages = Object.fromEntries(
  Object.entries(entries)
    .filter(([, entry]) => entry.fields)
    .map(([name, { fields, oneofs = {}, options }]) => {
      const described = Object.entries(fields).map(([field, of]) => fieldOf(field, of, oneofs));
      described.sort((a, b) => a.number - b.number);
      return [name, { name, fields: described, amino: options?.["(amino.name)"] }];
    }),
);

/** All enumerations by name. */
export const enums = Object.fromEntries(
  Object.entries(market)
    .filter(([, entry]) => entry.values)
    .map(([name, { values }]) => [name, Object.freeze({ ...values })]),
);

/** The methods of a service: their names, and the names of what goes in and comes out. */
export function methods(service) {
  return Object.entries(market[service].methods).map(([name, { requestType, responseType }]) => ({
    name,
    input: short(requestType),
    output: short(responseType),
  }));
}
