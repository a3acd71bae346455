// A certified foreign client against the mock of the national sign-in: whole sign-ins at each of its three providers, and
// what the client says of everything that they can do wrong on purpose.
//
// node peer.mjs READY    where READY is a file with the line that `python -m mocks` prints when it is ready
//
// Ends with 0 when everything agrees. Prints what was checked, and no token, name or number of anybody.

import { readFile } from "node:fs/promises";
import * as oidc from "openid-client";
import { Browser } from "./browser.mjs";

let checks = 0;

process.on("uncaughtException", (error) => {
  console.error(`  FAILED  ${error.message}${error.code ? ` (${error.code})` : ""}`);
  console.log(`${checks} passed, 1 failed`);
  process.exit(1);
});

const ready = JSON.parse(await readFile(process.argv[2], "utf8"));
const door = ready.vneid;
const { accounts, password } = ready.credentials.vneid;
const { username: clientId, secret, redirect_uris: callbacks, post_logout_redirect_uris: exits } = accounts[1];

function expect(holds, promise) {
  if (!holds) throw new Error(`does not hold: ${promise}`);
  checks += 1;
}
function done(what) {
  console.log(`  ok  ${what}`);
}

async function control(method, path, body) {
  const answer = await fetch(new URL(path, ready.admin), { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path} of the admin API answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

// ID tokens are believed by their signature, not because of where they came from; loopback has no TLS.
const strict = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];

const byHeader = oidc.ClientSecretBasic;
const inForm = oidc.ClientSecretPost;

/** A1 has no discovery document: its addresses are those that the contract has. */
async function portal(authentication) {
  const contract = JSON.parse(await readFile(new URL("../../contracts/vneid/operations.json", import.meta.url), "utf8"));
  const { issuer, operations } = contract.profiles.find((one) => one.profile === "A1");
  const at = Object.fromEntries(operations.map(({ name, path }) => [name, door + path]));
  const server = {
    issuer: door + issuer.path,
    authorization_endpoint: at.authorize,
    token_endpoint: at.exchange_code,
    userinfo_endpoint: at.userinfo,
    introspection_endpoint: at.introspect,
    revocation_endpoint: at.revoke,
    jwks_uri: at.keys,
    end_session_endpoint: at.logout,
  };
  const config = new oidc.Configuration(server, clientId, secret, authentication);
  for (const make of strict) make(config);
  return config;
}

function discovered(issuer) {
  return (authentication) => oidc.discovery(new URL(issuer), clientId, secret, authentication, { execute: strict });
}

// `level`: what asks for it and what the ID token says then. A2 is asked for none, and says 1 of every fresh log-in.
const providers = [
  { name: "the plain provider", keys: "op", configure: discovered(door), shows: byHeader, asks: "LoA2", tells: "LoA2" },
  { name: "A1", keys: "a1", configure: portal, shows: inForm, asks: "LoA2", tells: "LoA2" },
  { name: "A2", keys: "a2", configure: discovered(`${door}/auth/realms/citizen`), shows: inForm, tells: "1" },
];

/** Send a browser off to sign in, and return what has to be kept until it is back. */
async function leave(config, provider, browser = new Browser(`${door}/`)) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checked = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() };
  const address = oidc.buildAuthorizationUrl(config, {
    redirect_uri: callbacks[0],
    scope: "openid",
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checked.expectedState,
    nonce: checked.expectedNonce,
    ...(provider.asks && { acr_values: provider.asks }),
  });
  await browser.open(address);
  return { browser, checked };
}

/** Do what a citizen does on the pages, as far as they are shown; return where the browser is sent at last. */
async function prove(browser, answer = "dong-y") {
  if (browser.shows("bca")) await browser.press("bca");
  if (browser.shows("dang-nhap")) {
    await browser.press("dang-nhap", { number: person.identity_number, password, account: "person" });
  }
  if (browser.shows(answer)) await browser.press(answer);
  return browser.landed;
}

/** Have a browser come back from a provider, its code not exchanged yet. */
async function comeBack(config, provider, answer) {
  const { browser, checked } = await leave(config, provider);
  return { browser, checked, landed: await prove(browser, answer) };
}

async function signIn(config, provider) {
  const back = await comeBack(config, provider);
  return { ...back, tokens: await oidc.authorizationCodeGrant(config, back.landed, back.checked) };
}

/** Return how the client calls what it refuses: the server's error, or its own word and the claim that is wrong. */
async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    const inner = error.cause?.code ? error.cause : error;
    const challenge = Array.isArray(error.cause) ? error.cause[0]?.scheme : undefined;
    return error.error ?? challenge ?? inner.cause?.claim ?? inner.cause?.attribute ?? inner.message;
  }
  throw new Error("something was let through that had to be refused");
}

async function refused(what, word, attempt) {
  const said = await refusal(attempt);
  expect(said === word, `${what} is refused because of "${word}", not "${said}"`);
}

async function completes(config, provider) {
  const { name } = provider;
  const { browser, landed, checked, tokens } = await signIn(config, provider);
  const told = tokens.claims();
  expect(told.aud === clientId && told.acr === provider.tells, `the ID token of ${name} is for us and tells the level`);
  const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, told.sub);
  expect(userinfo.SoDinhDanh === person.identity_number, `${name} tells the number that the citizen has in the world`);
  expect(userinfo.HoVaTen.normalize("NFC") === person.name.normalize("NFC"), `${name} tells the citizen's name`);
  expect(String(userinfo.LoaiTaiKhoan) === "1", `${name} tells that the account is a person's`);
  const place = new URL(config.serverMetadata().userinfo_endpoint);
  const posted = await oidc.fetchProtectedResource(config, tokens.access_token, place, "POST");
  expect((await posted.json()).sub === told.sub, `${name} answers a userinfo request that is a POST as well`);
  const state = await oidc.tokenIntrospection(config, tokens.access_token);
  expect(state.active && state.client_id === clientId, `${name} says that the access token counts`);
  done(`a whole sign-in at ${name}: PKCE, page, callback, code, ID token, userinfo, introspection`);

  await refused(`a second use of a code at ${name}`, "invalid_grant", () =>
    oidc.authorizationCodeGrant(config, landed, checked),
  );
  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  expect(renewed.access_token !== tokens.access_token, `${name} renews the access token`);
  await oidc.tokenRevocation(config, renewed.refresh_token);
  const over = await oidc.tokenIntrospection(config, renewed.access_token);
  expect(over.active === false, `what was revoked at ${name} is over`);
  done(`at ${name} a code counts once, and tokens are renewed and revoked`);

  const second = await leave(config, provider, browser);
  expect(second.browser.landed !== undefined, `a browser that is signed in at ${name} is not asked again`);
  const { id_token: hint } = await oidc.authorizationCodeGrant(config, second.browser.landed, second.checked);
  const exit = { id_token_hint: hint, post_logout_redirect_uri: exits[0], state: "het-phien" };
  await browser.open(oidc.buildEndSessionUrl(config, exit));
  expect(browser.landed?.href === `${exits[0]}?state=het-phien`, `after the log-out ${name} sends the browser back`);
  const third = await leave(config, provider, browser);
  expect(third.browser.landed === undefined, `after the log-out ${name} asks the citizen again`);
  done(`at ${name} the session goes on until the log-out, and no longer`);
}

async function refuses(config, provider) {
  const { name } = provider;
  const denied = await comeBack(config, provider, "tu-choi");
  await refused(`what a citizen declines at ${name}`, "access_denied", () =>
    oidc.authorizationCodeGrant(config, denied.landed, denied.checked),
  );
  const back = await comeBack(config, provider);
  const exchange = (changes, using = config, landed = back.landed) => () =>
    oidc.authorizationCodeGrant(using, landed, { ...back.checked, ...changes });
  await refused(`another state than ${name} was given`, 'unexpected "state" response parameter value',
    exchange({ expectedState: oidc.randomState() }));
  const elsewhere = new URL(back.landed);
  elsewhere.searchParams.set("iss", "https://khac.example");
  await refused(`an answer of ${name} that names another issuer`, 'unexpected "iss" (issuer) response parameter value',
    exchange({}, config, elsewhere));
  await refused(`another verifier than ${name} has the challenge of`, "invalid_grant",
    exchange({ pkceCodeVerifier: oidc.randomPKCECodeVerifier() }));
  const stranger = await provider.configure(provider.shows("khong-phai-bi-mat"));
  await refused(`a wrong secret at ${name}`, provider.shows === byHeader ? "basic" : "invalid_client",
    exchange({}, stranger));
  done(`at ${name} neither a citizen's no nor another state, issuer, verifier or secret gives a token`);
}

const keyOf = ({ id_token: token }) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;

const faults = {
  wrong_audience: "aud",
  wrong_issuer: "iss",
  wrong_nonce: "nonce",
  token_expired: "exp",
  token_unsigned: 'unexpected JWT "alg" header parameter',
  algorithm_confused: 'unexpected JWT "alg" header parameter',
  unknown_key: "error when selecting a JWT verification key, no applicable keys found",
  wrong_signature: "JWT signature verification failed",
};

async function seesFaults(provider) {
  const { name, keys, configure, shows } = provider;
  const fresh = () => configure(shows(secret));
  const strike = (what, operation) =>
    control("POST", "faults", { what, for: { door: "vneid", operation }, until: { count: 1 } });
  for (const [what, word] of Object.entries(faults)) {
    await strike(what, "token");
    const config = await fresh();
    await refused(`${what} at ${name}`, word, () => signIn(config, provider));
    expect((await signIn(config, provider)).tokens.id_token, `the next sign-in at ${name} is right after ${what}`);
  }
  await strike("subject_differs", "userinfo");
  const config = await fresh();
  const { tokens } = await signIn(config, provider);
  await refused(`somebody else's userinfo at ${name}`, "sub", () =>
    oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub),
  );
  done(`every defect of a token at ${name} is seen, as is somebody else's userinfo; the next sign-in is right`);
  await control("POST", `world/vneid_keys/${keys}`, { verb: "rotate", fields: {} });
  const rotated = await signIn(await fresh(), provider);
  expect(keyOf(rotated.tokens) !== keyOf(tokens), `${name} signs with another key after it was changed`);
  done(`at ${name} the next key is believed too`);
}

const people = (await control("GET", "world/citizens?limit=100")).citizens;
const person = people.find((one) => one.identity_number && one.oddities.length === 0 && one.birth.year < 2000);
await control("PATCH", "dialects", { vneid: { discovery: "there" } }); // how else would a foreign client find A2
for (const provider of providers) {
  const config = await provider.configure(provider.shows(secret));
  await completes(config, provider);
  await refuses(config, provider);
  await seesFaults(provider);
}
await control("PATCH", "dialects", { vneid: { discovery: "absent" } });
console.log(`${checks} passed, 0 failed`);
