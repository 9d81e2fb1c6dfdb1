// Drives a gateway with the real `openai` package, as an app would.
//
// usage: openai_client.mjs BASE_URL API_KEY MODEL
import assert from "node:assert/strict";
import OpenAI from "openai";

const [baseURL, apiKey, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
const messages = [{ role: "user", content: "What is the capital of France?" }];

const whole = await client.chat.completions.create({ model, messages, temperature: 0 });
assert.match(whole.choices[0].message.content, /Paris/);
assert.ok(whole.usage.completion_tokens > 0);
console.log(JSON.stringify({ passed: "not streamed" }));

const stream = await client.chat.completions.create({
  model,
  messages,
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage;
for await (const chunk of stream) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
assert.equal(text, whole.choices[0].message.content);
assert.equal(usage.completion_tokens, whole.usage.completion_tokens);
assert.equal(usage.cost.denom, "ulode");
console.log(JSON.stringify({ passed: "streamed" }));

await assert.rejects(
  client.chat.completions.create({ model: "no-such-model", messages }),
  (error) => error instanceof OpenAI.NotFoundError && error.status === 404,
);
await assert.rejects(
  new OpenAI({ baseURL, apiKey: "lode-sk-no", maxRetries: 0 }).models.list(),
  (error) => error instanceof OpenAI.AuthenticationError && error.status === 401,
);
console.log(JSON.stringify({ passed: "errors" }));

const aborted = await client.chat.completions.create({ model, messages, stream: true });
for await (const _ of aborted) {
  aborted.controller.abort();
  break;
}
const after = await client.chat.completions.create({ model, messages, temperature: 0 });
assert.match(after.choices[0].message.content, /Paris/);
console.log(JSON.stringify({ passed: "cancel" }));
