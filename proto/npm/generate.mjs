// Writes messages.mjs and messages.d.ts from proto/schema: `npm run generate`.
//
// Both are kept in the repository, so that the package needs no compiler of protocol buffers.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const SCHEMA = fileURLToPath(new URL("../schema/", import.meta.url));
const FILES = ["audit", "types", "relay", "tx", "query", "genesis"];
const OPTIONS_ONLY = ["amino/amino.proto", "cosmos/msg/v1/msg.proto"];

const NOTE = "// Made by generate.mjs from proto/schema; do not edit.\n";

const SCALARS = {
  bool: "boolean",
  bytes: "Uint8Array",
  int32: "number",
  int64: "bigint",
  string: "string",
  uint32: "number",
  uint64: "bigint",
};

/** The schema as protobuf.js reads it, with the names of fields as they are written there. */
export function load() {
  const root = new protobuf.Root();
  root.resolvePath = (_, name) => (OPTIONS_ONLY.includes(name) ? null : SCHEMA + name);
  root.loadSync(FILES.map((name) => `lode/market/v1/${name}.proto`), { keepCase: true });
  root.resolveAll();
  return root;
}

function typeOf(field) {
  const type = field.resolvedType?.name ?? SCALARS[field.type];
  if (type === undefined) throw new Error(`${field.fullName} is ${field.type}: SCALARS lacks it`);
  // Numbers that repeat lie packed together, which types.mjs does not read.
  const lengthDelimited = field.resolvedType instanceof protobuf.Type || ["string", "bytes"].includes(field.type);
  if (field.map || (field.repeated && !lengthDelimited)) {
    throw new Error(`${field.fullName} repeats ${type}: types.mjs reads and writes repeated messages, texts and bytes only`);
  }
  return field.repeated ? `${type}[]` : type;
}

function interfaceOf(type) {
  const fields = type.fieldsArray.map((field) => {
    const name = field.name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
    const maybe = field.resolvedType instanceof protobuf.Type && !field.repeated ? "?" : "";
    return `  ${name}${maybe}: ${typeOf(field)};\n`;
  });
  return `export interface ${type.name} {\n${fields.join("")}}\n`;
}

function enumOf(type) {
  const values = Object.entries(type.values).map(([name, number]) => `  ${name} = ${number},\n`);
  return `export declare enum ${type.name} {\n${values.join("")}}\n`;
}

function queriesOf(service) {
  const methods = service.methodsArray.map((method) => {
    const name = method.name[0].toLowerCase() + method.name.slice(1);
    const { resolvedRequestType: asked, resolvedResponseType: answered } = method.resolve();
    const maybe = asked.fieldsArray.length === 0 ? "?" : "";
    return `  ${name}(question${maybe}: DeepPartial<${asked.name}>): Promise<${answered.name}>;\n`;
  });
  return `export interface MarketQueries {\n${methods.join("")}}\n`;
}

function declarations(root) {
  const market = root.lookup("lode.market.v1").nestedArray;
  const parts = [interfaceOf(root.lookupType("cosmos.base.v1beta1.Coin"))];
  for (const entry of market) {
    if (entry instanceof protobuf.Type) parts.push(interfaceOf(entry));
    if (entry instanceof protobuf.Enum) parts.push(enumOf(entry));
  }
  const messages = market
    .filter((entry) => entry instanceof protobuf.Type)
    .map(({ name }) => `  ${name}: MessageType<${name}>;\n`);
  parts.push(queriesOf(root.lookupService("lode.market.v1.Query")));
  parts.push(`export interface MessageTypes {\n${messages.join("")}}\n`);
  return `${NOTE}import type { DeepPartial, MessageType } from "./index.d.ts";\n\n${parts.join("\n")}`;
}

/** The generated files, by name. */
export function generate() {
  const root = load();
  const description = JSON.stringify(root.toJSON({ keepComments: false }), null, 1);
  return {
    "messages.mjs": `${NOTE}export default ${description};\n`,
    "messages.d.ts": declarations(root),
  };
}

/** A file of this package. */
export const kept = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generate())) {
    writeFileSync(new URL(name, import.meta.url), text);
  }
}
