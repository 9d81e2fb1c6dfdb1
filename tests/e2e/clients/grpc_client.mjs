// Finds the node's services by gRPC reflection and calls them knowing nothing else, as grpcurl does.
//
// usage: grpc_client.mjs HOST:PORT ADDRESS
import assert from "node:assert/strict";
import grpc from "@grpc/grpc-js";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";

const [place, address] = process.argv.slice(2);
const client = new grpc.Client(place, grpc.credentials.createInsecure());

// The part of grpc/reflection/v1alpha/reflection.proto that is asked here.
const { root: reflection } = protobuf.parse(`
  syntax = "proto3";
  message Ask { string file_containing_symbol = 4; string list_services = 7; string file_by_filename = 3; }
  message Answer { Files files = 4; Services services = 6; Failure failure = 7; }
  message Files { repeated bytes file = 1; }
  message Services { repeated Name service = 1; }
  message Name { string name = 1; }
  message Failure { int32 code = 1; string message = 2; }
`);
const Ask = reflection.lookupType("Ask");
const Answer = reflection.lookupType("Answer");
const { FileDescriptorProto } = descriptor;

/** Asks the reflection service once. */
function reflect(question) {
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      (asked) => Buffer.from(Ask.encode(asked).finish()),
      (bytes) => Answer.decode(bytes),
    );
    stream.on("error", reject);
    stream.on("data", (answer) => {
      stream.end();
      if (answer.failure) reject(new Error(`${JSON.stringify(question)}: ${answer.failure.message}`));
      else resolve(answer);
    });
    stream.write(Ask.fromObject(question));
  });
}

/** The file that declares `symbol`, and all that it imports, as the node tells them. */
async function schemaOf(symbol) {
  const files = new Map();
  const take = async (question) => {
    for (const bytes of (await reflect(question)).files.file) {
      const file = FileDescriptorProto.decode(bytes);
      if (files.has(file.name)) continue;
      files.set(file.name, file);
      for (const name of file.dependency) if (!files.has(name)) await take({ fileByFilename: name });
    }
  };
  await take({ fileContainingSymbol: symbol });
  return protobuf.Root.fromDescriptor({ file: [...files.values()] });
}

/** Calls a method by the schema that the node told. */
async function call(service, method, question) {
  const root = await schemaOf(service);
  const { resolvedRequestType: Q, resolvedResponseType: A } = root.lookupService(service).methods[method].resolve();
  return new Promise((resolve, reject) => client.makeUnaryRequest(
    `/${service}/${method}`,
    (asked) => Buffer.from(Q.encode(asked).finish()),
    (bytes) => A.toObject(A.decode(bytes), { longs: String, enums: String }),
    Q.fromObject(question),
    (error, answer) => (error ? reject(error) : resolve(answer)),
  ));
}

const { services } = await reflect({ listServices: "*" });
const names = services.service.map(({ name }) => name);
for (const wanted of ["lode.market.v1.Query", "lode.beacon.v1.Query", "cosmos.bank.v1beta1.Query", "cosmos.tx.v1beta1.Service"]) {
  assert.ok(names.includes(wanted), `${wanted} is not among ${names.join(", ")}`);
}
const clock = await call("lode.market.v1.Query", "Clock", {});
assert.ok(BigInt(clock.nextStart) > BigInt(clock.start));
const { escrow } = await call("lode.market.v1.Query", "App", { app: address });
assert.equal(escrow[0].app, address);
const { balance } = await call("cosmos.bank.v1beta1.Query", "Balance", { address, denom: "ulode" });
assert.ok(BigInt(balance.amount) > 0n);
await assert.rejects(call("lode.market.v1.Query", "Supplier", { operator: address }), /lode 4/);
console.log(JSON.stringify({ passed: "reflection", services: names.length }));
client.close();
