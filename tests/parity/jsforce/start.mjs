// What every script here starts with: what the test told it, ways to log in, and the one JSON line it ends with.
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import jsforce from "jsforce";

export const told = JSON.parse(process.argv[2]);
export const VERSION = told.api_version;
export { jsforce };

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function assertion(username) {
  const claims = { iss: told.client_id, sub: username, aud: told.instance_url, exp: Math.floor(Date.now() / 1000) + 180 };
  const signed = `${encoded({ alg: "RS256" })}.${encoded(claims)}`;
  const key = createPrivateKey(readFileSync(told.key_file));
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key).toString("base64url")}`;
}

export async function loggedIn(grant, options = {}) {
  const oauth2 = { loginUrl: told.instance_url, clientId: told.client_id, clientSecret: told.client_secret };
  const conn = new jsforce.Connection({ loginUrl: told.instance_url, oauth2, version: VERSION, ...options });
  const user = await conn.authorize(grant);
  return [conn, user];
}

export const byJwt = (username = told.username, options = {}) => loggedIn({ grant_type: JWT_BEARER, assertion: assertion(username) }, options);
export const asAdmin = async (options = {}) => (await byJwt(told.admin, options))[0];

// What a client sees of a refusal: the class, the code and the rest that is of use to it.
export async function refusal(doing) {
  try {
    return { refused: false, answer: await doing() };
  } catch (problem) {
    return { refused: true, name: problem.name, code: problem.errorCode, message: problem.message, fields: problem.data?.fields, data: problem.data };
  }
}

export async function tell(looking) {
  const seen = await looking();
  process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0)); // faye and undici keep their sockets
}
