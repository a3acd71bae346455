// A certified foreign provider that citizens sign in at, with made-up citizens: set to the paths, the level names and the
// claims of the national portal's single sign-on (A1), or left as its makers ship it (standard).
//
// node provider.mjs PROFILE CALLBACK AFTER_LOGOUT CERTIFICATE [NAME]
//
// PROFILE is A1 or standard; then come the caller's two addresses, a PEM with certificate and key, and the host by which
// browsers know the provider, if it is another than 127.0.0.1 with its port. Prints one line of JSON when it answers, and
// ends when its standard input does: with 1 and the reasons if it has failed over something that it was asked.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const [profile, callback, afterLogout, certificate, name] = process.argv.slice(2);
const client = {
  client_id: "Mau0H99XaThuNghiemMotCua0002",
  client_secret: randomBytes(24).toString("base64url"),
  redirect_uris: [callback],
  post_logout_redirect_uris: [afterLogout],
  grant_types: ["authorization_code", "refresh_token"],
  token_endpoint_auth_method: profile === "A1" ? "client_secret_post" : "client_secret_basic",
};
const people = {
  "999000000101": { level: 2, HoVaTen: "Nguyễn Thị Mẫu", NgayThangNamSinh: "19900131" },
  "999000000102": { level: 1, HoVaTen: "Trần Văn Thử", NgayThangNamSinh: "20150601" },
};
const claims = ["TechID", "LoaiTaiKhoan", "HoVaTen", "SoDinhDanh", "NgayThangNamSinh", "loginIdp"];

async function routes() {
  const contract = JSON.parse(await readFile(new URL("../../contracts/vneid/operations.json", import.meta.url), "utf8"));
  const { operations } = contract.profiles.find((one) => one.profile === "A1");
  const at = Object.fromEntries(operations.map(({ name, path }) => [name, path]));
  return {
    authorization: at.authorize,
    token: at.exchange_code,
    userinfo: at.userinfo,
    introspection: at.introspect,
    revocation: at.revoke,
    jwks: at.keys,
    end_session: at.logout,
  };
}

function page(title, content) {
  return `<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8"><title>${title}</title></head>
<body><main><h1>${title}</h1>${content}</main></body></html>`;
}

function configuration(paths) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    clients: [client],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig" }] },
    // Log-out by another site's form, as A1's software takes it: the cookie has to come along with that.
    enableHttpPostMethods: true,
    cookies: { keys: [randomBytes(24).toString("hex")], long: { sameSite: "none" } },
    acrValues: ["LoA1", "LoA2"],
    claims: { openid: ["sub", ...claims] },
    pkce: { required: () => false },
    ...(paths && { routes: paths }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async () => true,
    async findAccount(_, id) {
      const { level, ...told } = people[id];
      const account = { sub: id, TechID: `tech-${id}`, LoaiTaiKhoan: "1", SoDinhDanh: id, loginIdp: "BCA", ...told };
      return { accountId: id, claims: async () => account };
    },
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (context, form) => {
          const button = '<button id="dang-xuat" form="op.logoutForm" name="logout" value="yes">Đăng xuất</button>';
          context.body = page("Bạn có muốn đăng xuất?", form + button);
        },
      },
    },
  };
}

/** The page of a citizen: their number, yes or no. There is no password, because nobody here is anybody. */
async function interact(provider, request, response) {
  if (request.method === "GET") {
    const content = `<form method="post" action="${request.url}">
      <label>Số định danh cá nhân <input id="so-dinh-danh" name="number" autocomplete="off"></label>
      <button id="dang-nhap" name="action" value="login">Đăng nhập</button>
      <button id="tu-choi" name="action" value="deny">Từ chối</button></form>`;
    await provider.interactionDetails(request, response);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
    response.end(page("Đăng nhập", content));
    return;
  }
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const form = new URLSearchParams(Buffer.concat(pieces).toString("utf8"));
  const person = people[form.get("number")];
  const result =
    form.get("action") === "login" && person
      ? { login: { accountId: form.get("number"), acr: `LoA${person.level}` } }
      : { error: "access_denied", error_description: "the citizen said no" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const pem = await readFile(certificate);
const server = createServer({ cert: pem, key: pem });
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();
const base = `https://${name ?? `127.0.0.1:${port}`}`;
const issuer = profile === "A1" ? `${base}/oauth2/token` : base;
const provider = new Provider(issuer, configuration(profile === "A1" ? await routes() : undefined));
const answer = provider.callback();
const problems = [];
provider.on("server_error", (_, error) => problems.push(error.stack));
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  return interact(provider, request, response).catch((error) => response.writeHead(400).end(error.message));
});
function end() {
  for (const one of problems) console.error(one);
  process.exit(problems.length ? 1 : 0);
}
process.stdin.resume().on("end", end);
process.on("SIGTERM", end);
console.log(JSON.stringify({ base, port, issuer, client_id: client.client_id, client_secret: client.client_secret }));
