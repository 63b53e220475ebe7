// OpenAI's own client for JavaScript against `luthier api`: upload -> job -> events -> cancel -> second job -> chat.
// Run by `python -m bench.npm`, which starts the server and skips where node or npm is missing.
import fs from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const [train, validation, model, full] = process.argv.slice(2);
const say = (what, value) => console.log(JSON.stringify({ what, value }));

const file = await client.files.create({ file: fs.createReadStream(train), purpose: "fine-tune" });
const test = await client.files.create({ file: fs.createReadStream(validation), purpose: "fine-tune" });
say("uploaded", file.bytes);
const wish = {
  model,
  training_file: file.id,
  validation_file: test.id,
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 1 } } },
  metadata: { from: "node" },
};
const first = await client.fineTuning.jobs.create(wish);
say("cancelled", (await client.fineTuning.jobs.cancel(first.id)).status);
let second = await client.fineTuning.jobs.create({ ...wish, suffix: "node" });
if (full === "full") {
  while (!["succeeded", "failed", "cancelled"].includes(second.status)) {
    await new Promise((over) => setTimeout(over, 1000));
    second = await client.fineTuning.jobs.retrieve(second.id);
  }
  say("ended", second.status);
}
const told = [];
for await (const event of client.fineTuning.jobs.listEvents(second.id)) told.push(event.message);
say("events", told.length);
const found = [];
for await (const job of client.fineTuning.jobs.list({ metadata: { from: "node" }, limit: 1 })) found.push(job.id);
say("listed", found.length === 2 && found[0] === second.id);
const stream = await client.chat.completions.create({
  model: second.fine_tuned_model ?? model,
  messages: [{ role: "user", content: "Where is my parcel?" }],
  max_tokens: 8,
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
});
let text = "";
let usage = null;
for await (const part of stream) {
  text += part.choices[0]?.delta?.content ?? "";
  usage = part.usage ?? usage;
}
say("chat", text.length > 0 && usage.completion_tokens > 0);
try {
  await client.fineTuning.jobs.create({ ...wish, model: "gpt-9" });
} catch (refused) {
  say("refused", [refused.status, refused.code]);
}
say("done", true);
