"""Run the part about sign-ins: a gateway on each engine with the mock of the door behind it, then the mock alone."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import psutil

from benchmarks.beside import disk
from benchmarks.delivery import http, services
from benchmarks.errors import BenchError
from benchmarks.figures import MICRO, MILLI
from benchmarks.processes import LOOPBACK, Started, free_port, usable_cores
from benchmarks.signins.figures import Found, SignIns, together
from benchmarks.signins.load import PATIENCE_SECONDS, Plan
from benchmarks.signins.report import FASTEST, PROMISE, RATE, SECONDS, STRAIGHT
from benchmarks.upstreams import fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contenders import Tools
    from benchmarks.processes import Programs
    from benchmarks.signins.figures import Round, Stretch

AT_ONCE: Final = 16
FAST_SECONDS: Final = 4.0
ROUNDS: Final = 3
WARM_SECONDS: Final = 2.0
MANY: Final = "1000000000"
BACK: Final = "https://motcua.example/dang-nhap"
GROWN: Final = 2000
PAGE: Final = 10_000
OPERATIONS: Final = ("authorize", "token", "userinfo")
ASK_SECONDS: Final = 60
LIENTHONG: Final = (sys.executable, "-m", "lienthong")


class Part:
    """The part, with what it runs on. `scale` makes it shorter, to try it out."""

    def __init__(self, programs: Programs, tools: Tools, say: Callable[[str], object], *, scale: float = 1.0) -> None:
        self._programs = programs
        self._tools = tools
        self._say = say
        self._scale = scale

    def measure(self) -> SignIns:
        """Measure everything."""
        result = SignIns(cores=len(usable_cores()))
        folder = self._programs.folder
        result.disk, result.sync_seconds = disk(folder)
        house = House(self._programs, self._tools, "sqlite", http.sqlite(folder))
        house.load("warm", WARM_SECONDS * self._scale, 0.0, AT_ONCE)
        steady = house.load(PROMISE, SECONDS * self._scale, RATE, 0)
        self._add(result, together(PROMISE, f"{RATE} a second, SQLite", [steady]))
        turns = {
            FASTEST: f"{AT_ONCE} at once, SQLite",
            "leaving": f"{AT_ONCE} at once and logged out, SQLite",
            STRAIGHT: "the mock alone",
        }
        self._in_turns(result, house, turns)
        self._closed(result, house, "SQLite")
        with services.postgres() as server:
            place = http.postgres(server.database("signins"))
            house = House(self._programs, self._tools, "postgres", place, server.pid)
            house.load("warm", WARM_SECONDS * self._scale, 0.0, AT_ONCE)
            self._in_turns(result, house, {"fast-postgres": f"{AT_ONCE} at once, PostgreSQL"})
            self._closed(result, house, "PostgreSQL")
            result.postgres_version = server.version
        return result

    def _in_turns(self, result: SignIns, house: House, titles: dict[str, str]) -> None:
        """Load in turns, several rounds over, so that a drift of the machine falls on all alike."""
        rounds: dict[str, list[Round]] = {name: [] for name in titles}
        for _ in range(ROUNDS):
            for name, found in rounds.items():
                found.append(house.load(name, FAST_SECONDS * self._scale, 0.0, AT_ONCE))
        for name, found in rounds.items():
            self._add(result, together(name, titles[name], found))

    def _add(self, result: SignIns, stretch: Stretch) -> None:
        found = stretch.found
        result.stretches.append(stretch)
        result.wrong += [f"{stretch.title}: {found.failed} sign-ins failed: {why}" for why in found.why]
        parts = ", ".join(f"{who} {one * MICRO:,.0f}" for who, one in stretch.cpu.items())
        self._say(
            f"  {stretch.title:38} {found.rate:6,.1f}/s  p50 {found.p50 * MILLI:6.1f}  p99 {found.p99 * MILLI:6.1f} ms"
            f"  failed {found.failed}  µs CPU each: {parts}"
        )

    def _closed(self, result: SignIns, house: House, engine: str) -> None:
        counted, wrong = house.books()
        result.counted += [f"{engine}: {counted}"] if counted else []
        result.wrong += [f"{engine}: {one}" for one in wrong]
        self._programs.stop_all()


class House:
    """A gateway on one store, the mock of the door behind it, and all who have signed in."""

    def __init__(self, programs: Programs, tools: Tools, name: str, store: str, server: int | None = None) -> None:
        self._programs, self._environment, self._name = programs, tools.environment, name
        self._mock_port, self._port = free_port(), free_port()
        journal = programs.folder / f"{name}.journal"
        command = [sys.executable, "-m", "mocks", "--host", LOOPBACK, "--port", self._mock_port, "--journal", journal]
        mock = programs.start(f"mock-{name}", command, port=self._mock_port, environment=tools.environment)
        ready = json.loads(mock.first_line())
        self._admin: str = ready["admin"]
        account = ready["credentials"]["vneid"]["accounts"][0]
        callback, left = (f"http://{LOOPBACK}:{self._port}/sign-ins/{page}" for page in ("callback", "left"))
        who = {"username": account["username"], "secret": account["secret"]}
        self._told: dict[str, Any] = {"agency": account["agency"], "back": BACK, "door": ready["vneid"], **who}
        self._told |= {"callback": callback, "leaving": False}
        self._numbers = self._prepared(account["username"], callback, left)
        values = {"port": str(self._port), "store": store, "name": f"signins-{name}", "left": left}
        told = {key: str(value) for key, value in self._told.items()}
        self._configuration = fill("signins.toml", programs.folder, **told, **values)
        self._lienthong("agencies", "add", account["agency"], "Bench")
        quotas = ["--per-minute", MANY, "--per-day", MANY, "--officer-per-minute", MANY, "--officer-per-day", MANY]
        client = ["clients", "add", "bench", "--agency", account["agency"], "--scope", "signins:make", *quotas]
        self._told["key"] = self._lienthong(*client).split()[-1]
        command = [*LIENTHONG, "serve", "--config", self._configuration]
        gateway = programs.start(f"gateway-{name}", command, port=self._port, environment=tools.environment)
        self._measured = {"gateway": gateway, "mock": mock}
        if server is not None:
            self._measured["database"] = Started("database", psutil.Process(server), gateway.log)
        self._came: list[tuple[str, str]] = []
        self._claims = 0

    def load(self, name: str, seconds: float, rate: float, at_once: int) -> tuple[Found, dict[str, float]]:
        """Load it for some seconds; return what came of it and the seconds of CPU of each program for each sign-in."""
        output = self._programs.folder / f"{self._name}-{name}.came"
        plan = Plan(
            way="straight" if name == STRAIGHT else "through",
            gateway=self._port,
            door=self._mock_port,
            told={**self._told, "leaving": name == "leaving"},
            output=str(output),
            seconds=seconds,
            rate=rate,
            at_once=at_once,
        )
        before = self._cpu()
        asked = output.with_suffix(".plan")
        asked.touch(mode=0o600)  # it holds a key
        asked.write_text(json.dumps(asdict(plan)))
        command = [sys.executable, "-m", "benchmarks.signins.load", asked]
        said = self._programs.run(command, self._environment, seconds=seconds + 2 * PATIENCE_SECONDS)
        found = Found(**json.loads(said))
        many = max(1, found.done)
        cpu = {who: (spent - before[who]) / many for who, spent in self._cpu().items()}
        if plan.way == "straight":
            del cpu["gateway"]
        else:
            self._claims += found.done
        self._came += [(at_door, number) for at_door, number in json.loads(output.read_text())]
        return found, {**cpu, "load": found.cpu / many}

    def books(self) -> tuple[str, list[str]]:
        """Return what was counted, where it comes out even, and what does not."""
        counts = self._ask("effects?limit=0")["counts"]
        told = {(one["operation"], one["key"]): one["count"] for one in counts if one["door"] == "vneid"}
        wrong = []
        for operation in OPERATIONS:
            acted = {key: count for (name, key), count in told.items() if name == operation}
            if acted != dict.fromkeys((at_door for at_door, _ in self._came), 1):
                wrong.append(f"the door has {sum(acted.values())} effects of {operation}, not {len(self._came)}")
        persons = {one["id"]: self._numbers.get(one["fields"]["citizen"]) for one in self._resources()}
        others = sum(persons.get(at_door) != number for at_door, number in self._came)
        if others:
            wrong.append(f"{others} sign-ins gave somebody else than who signed in at the door")
        claimed = self._claimed()
        if claimed != {"claimed": self._claims}:
            wrong.append(f"the gateway has counted {claimed}, and {self._claims} were claimed")
        people = len({number for _, number in self._came})
        counted = (
            f"{len(self._came):,} sign-ins of {people:,} people, {self._claims:,} of them through the gateway; as many"
            f" effects of {', '.join(OPERATIONS)} in the mock's ledger, one of each for each; as many claims in the"
            " gateway's metrics; and each claim gave the person who had signed in at the door"
        )
        return "" if wrong else counted, wrong

    def _prepared(self, username: str, callback: str, left: str) -> dict[int, str]:
        """Register our addresses and have grown citizens approve in turn; return their numbers by what they are."""
        fields = {"redirect_uris": [callback], "post_logout_redirect_uris": [left]}
        self._do("vneid_client", username, "register", fields)
        found = self._ask(f"world/citizens?limit={PAGE}")["citizens"]
        grown = {
            one["id"]: one["identity_number"]
            for one in found
            if one["identity_number"] and not one["deceased_on"] and not one["oddities"]
            and one["birth"]["year"] < GROWN
        }  # fmt: skip
        self._do("vneid_autopilot", "citizen", "approve", {"citizens": list(grown)})
        return grown

    def _resources(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._ask(f"world/resources?kind=vneid_sign_in&limit={PAGE}&offset={len(found)}")
            found += page["resources"]
            if len(found) >= page["total"]:
                return found

    def _claimed(self) -> dict[str, int]:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self._port}/metrics", timeout=ASK_SECONDS) as answer:
            text = answer.read().decode()
        found = re.findall(
            r'^lienthong_sign_ins_total\{outcome="(\w+)",system="vneid"\} ([\d.e+]+)$', text, re.MULTILINE
        )
        return {outcome: int(float(count)) for outcome, count in found}

    def _cpu(self) -> dict[str, float]:
        return {name: program.cpu_seconds() for name, program in self._measured.items()}

    def _do(self, kind: str, name: str, verb: str, fields: dict[str, Any]) -> None:
        self._ask(f"world/{kind}/{name}", {"verb": verb, "fields": fields})

    def _ask(self, path: str, content: object = None) -> Any:
        """Ask the mock's admin API."""
        body = None if content is None else json.dumps(content).encode()
        call = urllib.request.Request(f"{self._admin}{path}", data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(call, timeout=ASK_SECONDS) as answer:  # noqa: S310 - loopback
                return json.loads(answer.read())
        except OSError as error:
            raise BenchError(f"the mock does not answer {path}: {error}") from error

    def _lienthong(self, *words: str) -> str:
        return self._programs.run([*LIENTHONG, *words, "--config", self._configuration], self._environment)
