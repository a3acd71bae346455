// A foreign SOAP client against the mock of the population database: reads our WSDL, verifies and looks citizens up,
// compares every answer with the mock's own world, and sees faults come and go.
//
// node peer.mjs READY    where READY is a file with the line that `python -m mocks` prints when it is ready
//
// Ends with 0 when everything agrees. Prints what was checked, and no name or number of anybody.

import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import soap from "soap";

let checks = 0;

// A failed call's error carries the whole message; only its sentence is shown.
process.on("uncaughtException", (error) => {
  console.error(`  FAILED  ${error.message || `a call answered ${error.response?.status ?? "nothing"}`}`);
  console.log(`${checks} passed, 1 failed`);
  process.exit(1);
});

const ready = JSON.parse(await readFile(process.argv[2], "utf8"));
const { sv_url: svUrl, timestamp_unit: unit, xroad_client: client, accounts } = ready.credentials.population;
const account = accounts[0];
const admin = ready.admin;
const PROCEDURE = "9.000001";
const OFFICER = "CB_THU_01";

function expect(holds, promise) {
  if (!holds) throw new Error(`does not hold: ${promise}`);
  checks += 1;
}
function done(what) {
  console.log(`  ok  ${what}`);
}

async function control(method, path, body) {
  const answer = await fetch(new URL(path, admin), { method, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path} of the admin API answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

function headers(secret) {
  const timestamp = String(unit === "ms" ? Date.now() : Math.floor(Date.now() / 1000));
  const hash = createHash("sha256").update(svUrl + account.username + timestamp + secret, "utf8").digest("hex");
  return {
    Timestamp: timestamp,
    Authorization: `Basic ${Buffer.from(`${account.username}:${hash}`).toString("base64")}`,
    "X-Road-Client": client,
    ApiKey: account.api_key,
  };
}

function plain(name) {
  const letters = name.toUpperCase().replaceAll("Đ", "D").normalize("NFD");
  return letters.replaceAll(/[^A-Z]/g, "");
}

const two = (number) => String(number).padStart(2, "0");
function birthOf({ year, month, day }) {
  return month === null ? { Nam: String(year) } : { NgayThangNam: `${year}${two(month)}${two(day)}` };
}

function question(citizen, integration) {
  const number = citizen.identity_number ? { SoDinhDanh: citizen.identity_number } : { SoCMND: citizen.old_card_number };
  return {
    MaYeuCau: randomUUID(),
    MaDVC: PROCEDURE,
    MaTichHop: integration,
    MaCanBo: OFFICER,
    ...number,
    HoVaTen: plain(citizen.name),
    NgayThangNamSinh: birthOf(citizen.birth),
  };
}

const peer = await soap.createClientAsync(`${ready.population}?wsdl`, { endpoint: ready.population });
const methods = Object.keys(Object.values(Object.values(peer.describe())[0])[0]).sort();
expect(methods.join() === "TraCuuThongTinCongDan,XacThucThongTinCongDan", "the WSDL offers the two operations");
done(`the WSDL is read and offers ${methods.join(" and ")}`);

async function call(operation, message, secret = account.secret) {
  return (await peer[`${operation}Async`](message, { timeout: 10_000 }, headers(secret)))[0];
}

async function verify(citizen, secret) {
  const answer = await call("XacThucThongTinCongDan", question(citizen, "003"), secret);
  return [true, "true", "1"].includes(answer.TonTai);
}

async function lookUp(citizen) {
  const answer = await call("TraCuuThongTinCongDan", question(citizen, "037"));
  return [answer?.CongDan ?? []].flat().filter((record) => record && typeof record === "object");
}

/** Return the failure of a call that must not succeed: its HTTP status, and the SOAP fault if there is one. */
async function failure(attempt) {
  try {
    await attempt();
  } catch (error) {
    const fault = error.root?.Envelope?.Body?.Fault;
    const code = fault?.faultcode?.$value ?? fault?.faultcode;
    return { status: error.response?.status, code: code && String(code) };
  }
  throw new Error("a call succeeded that had to fail");
}

const text = (value) => (typeof value === "string" ? value : "");

function agree(record, citizen) {
  const name = [record.HoVaTen.Ho, record.HoVaTen.ChuDem, record.HoVaTen.Ten].map(text).filter(Boolean).join(" ");
  const { year, month, day } = citizen.birth;
  const date = month === null ? "" : `${year}${two(month)}${two(day)}`;
  return (
    text(record.SoDinhDanh) === (citizen.identity_number ?? "") &&
    text(record.SoCMND) === (citizen.old_card_number ?? "") &&
    name.normalize("NFC") === citizen.name.normalize("NFC").toUpperCase() &&
    String(record.NgayThangNamSinh.Nam) === String(year) &&
    text(record.NgayThangNamSinh.NgayThangNam) === date &&
    record.GioiTinh === { male: "1", female: "2" }[citizen.sex] &&
    text(record.ThuongTru.MaTinhThanh) === citizen.permanent_residence.province &&
    text(record.ThuongTru.MaPhuongXa) === citizen.permanent_residence.commune
  );
}

// Ordinary citizens, and the odd ones whose records are written differently.
const samples = [(await control("GET", "world/citizens?offset=10&limit=20")).citizens];
const oddities = ["year_only_birth", "old_card_only", "leap_day", "decomposed_name", "one_word_name", "very_long_name"];
for (const oddity of oddities) {
  samples.push((await control("GET", `world/citizens?oddity=${oddity}&limit=2`)).citizens);
}
const citizens = samples.flat().filter((one) => one.identity_number || one.old_card_number);
expect(citizens.length > oddities.length, "the world has citizens to ask about");

for (const citizen of citizens) {
  const asked = `citizen ${citizen.id} (${citizen.oddities.join(", ") || "ordinary"})`;
  expect((await verify(citizen)) === true, `${asked} is verified`);
  expect((await verify({ ...citizen, name: `${citizen.name} Khac` })) === false, `${asked} is not verified by another name`);
  const records = await lookUp(citizen);
  expect(records.some((record) => agree(record, citizen)), `the record of ${asked} agrees with the world`);
}
done(`${citizens.length} citizens are verified and looked up, and their records agree with the mock's world`);

const first = citizens[0];
expect((await lookUp({ ...first, name: "Khong Co Ai" })).length === 0, "nobody is found by a wrong name");
done("nobody matches a wrong name, and that is an answer and no fault");

const refused = await failure(() => verify(first, "wrong"));
expect(refused.status === 401, `a wrong secret is refused with 401, not ${refused.status}`);
done("a wrong secret is refused");

const invalid = await failure(() => call("XacThucThongTinCongDan", { ...question(first, "003"), MaYeuCau: "" }));
expect(/client/i.test(invalid.code ?? ""), `a message against the schema gives a client fault, not ${invalid.code}`);
done("a message that breaks the schema is refused as the client's mistake");

const faults = [
  { what: "system_fault", code: /server/i },
  { what: "platform_far_fault", with: { spelling: "camel" }, code: /^Server\.ServerProxy\./ },
  { what: "platform_near_fault", with: { spelling: "snake" }, code: /^server\.clientproxy\./ },
  { what: "bad_gateway", status: 502 },
];
for (const { code, status, ...fault } of faults) {
  const set = await control("POST", "faults", { ...fault, for: { operation: "verify" }, until: { seconds: 60 } });
  const seen = await failure(() => verify(first));
  if (code) expect(code.test(seen.code ?? ""), `${fault.what} shows the fault code ${code}, not ${seen.code}`);
  if (status) expect(seen.status === status, `${fault.what} shows status ${status}, not ${seen.status}`);
  expect((await lookUp(first)).length > 0, `${fault.what} strikes only the operation it is for`);
  await control("DELETE", `faults?id=${set.id}`);
  expect((await control("GET", "faults")).faults.length === 0, `${fault.what} is cleared`);
  expect((await verify(first)) === true, `the call succeeds again after ${fault.what}`);
}
done(`${faults.map((fault) => fault.what).join(", ")}: each is seen, strikes only its operation, and is gone once cleared`);

console.log(`${checks} passed, 0 failed`);
