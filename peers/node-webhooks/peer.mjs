// A foreign receiver of webhooks: takes what a real gateway sends, and verifies it with the npm package
// `standardwebhooks`, which shares no line with ours.
//
// node peer.mjs PYTHON    where PYTHON is an interpreter that has the gateway installed; run it from the repository's root
//
// Ends with 0 when everything agrees. Prints what was checked, and no secret.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let checks = 0;
const taken = [];

function expect(holds, promise) {
  if (!holds) throw new Error(`does not hold: ${promise}`);
  checks += 1;
  console.log(`  ok      ${promise}`);
}

function verifies(request, secret) {
  try {
    new Webhook(secret).verify(request.body, request.headers);
    return true;
  } catch {
    return false;
  }
}

process.on("uncaughtException", (error) => {
  console.error(`  FAILED  ${error.message}`);
  console.log(`${checks} passed, 1 failed`);
  process.exit(1);
});

// The first answer is a failure, so that the message has to come a second time.
const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    taken.push({ headers: request.headers, body: Buffer.concat(pieces).toString("utf8") });
    response.writeHead(taken.length === 1 ? 500 : 204).end();
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const url = `http://127.0.0.1:${server.address().port}/hooks`;
const gateway = spawn(process.argv[2], ["peers/node-webhooks/sender.py", url], {
  stdio: ["ignore", "pipe", "ignore"],
  env: { ...process.env, PYTHONPATH: "." },
});
const told = [];
for await (const line of createInterface({ input: gateway.stdout })) told.push(JSON.parse(line));
server.close();

expect(told.length === 2 && taken.length === 3, "two messages came, the first of them twice");
const [refused, again, rotated] = taken;
const [old, fresh] = told[1].secrets;
expect([refused, again].every((one) => verifies(one, old)), "the signature is right on every try");
expect(refused.headers["webhook-id"] === again.headers["webhook-id"], "the second try has the id of the first");
expect(verifies(rotated, old) && verifies(rotated, fresh), "after a rotation the old and the new secret verify");
expect(!verifies(again, fresh), "a secret that did not sign does not verify");
expect(!verifies({ ...again, body: again.body.replace("test", "tent") }, old), "a changed body does not verify");
const late = { ...again.headers, "webhook-timestamp": String(Number(again.headers["webhook-timestamp"]) - 3600) };
expect(!verifies({ ...again, headers: late }, old), "another time does not verify");
const { type, timestamp, data } = JSON.parse(again.body);
expect(type === "webhook.test" && !Number.isNaN(Date.parse(timestamp)) && data, "the body has type, timestamp and data");
console.log(`${checks} passed`);
