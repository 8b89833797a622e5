// Tests of a Node program that fetches an issuer's keys and verifies tokens with them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

let harness, command;

before(async () => {
  // The harness ends when its standard input does, and so with this process.
  command = spawn("koproxy-harness", ["issuer", "--until-stdin-closes"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(command.stdout), "line");
  harness = JSON.parse(line);
});

after(async () => {
  command.stdin.end();
  assert.deepEqual(await once(command, "exit"), [0, null]);
});

async function ask(url, fields) {
  const asking = request(url, { method: fields ? "POST" : "GET", ca: harness.ca_pem, agent: false });
  asking.end(fields && JSON.stringify(fields));
  const [answer] = await once(asking, "response");
  let text = "";
  for await (const piece of answer) text += piece;
  assert.equal(answer.statusCode, 200, text);
  return JSON.parse(text);
}

const control = (path, fields = {}) => ask(harness.control.url + path, fields);

// What is tested; a real program would use a library.
async function subject(token, audience) {
  const [header, payload, signature] = token.split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  const { jwks_uri } = await ask(`${harness.issuer.url}/.well-known/openid-configuration`);
  const { keys } = await ask(jwks_uri);
  const jwk = keys.find((key) => key.kid === read(header).kid);
  assert(jwk && read(header).alg === "RS256", "an unknown key");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`);
  assert(verify("sha256", signed, key, Buffer.from(signature, "base64url")), "a wrong signature");
  const claims = read(payload);
  assert.equal(claims.iss, harness.issuer.url);
  assert.equal(claims.aud, audience);
  assert(claims.exp > Date.now() / 1000, "expired");
  assert(!(claims.nbf > Date.now() / 1000), "not yet valid");
  return claims.sub;
}

test("a good token", async () => {
  const { token } = await control("/issuer/token", { sub: "jane", aud: "greetings" });
  assert.equal(await subject(token, "greetings"), "jane");
});

for (const wrong of ["expired", "wrong-audience", "wrong-issuer", "unknown-key", "alg-none",
  "hmac-with-public-key", "tampered-payload", "tampered-signature", "not-yet-valid"]) {
  test(`a token that is ${wrong}`, async () => {
    // A claim that is given wins over the way to be wrong.
    const claims = wrong === "wrong-audience" ? {} : { aud: "greetings" };
    const { token } = await control("/issuer/token", { wrong, ...claims });
    await assert.rejects(subject(token, "greetings"));
  });
}

test("new keys", async () => {
  await control("/issuer/rotate-keys");
  const { token } = await control("/issuer/token", { aud: "greetings" });
  assert.equal(await subject(token, "greetings"), "jane");
});
