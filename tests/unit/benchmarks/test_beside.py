from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from benchmarks import beside_report, peers, report
from benchmarks.errors import BenchError
from benchmarks.figures import Again, Beside, Figure, Reset, Stretch
from benchmarks.load import Load
from benchmarks.wire import LOOKUP, Credential, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

URL = "http://127.0.0.1:8181/population"
NODE = Path(peers.__file__).parent / "node"
CANNED = [peers.Canned("TraCuu", "text/xml", "<found/>"), peers.Canned("XacThuc", "text/xml", "<yes/>")]
READY: dict[str, Any] = {
    "credentials": {
        "population": {
            "sv_url": "http://population.example/",
            "xroad_client": "VN-TEST/GOV/1",
            "accounts": [{"agency": "000.00.01.H99", "username": "a", "secret": "b", "api_key": "c"}],
        }
    }
}
CITIZEN = {
    "identity_number": "999190000017",
    "name": "Trần Thị Mẫu",
    "birth": {"year": 1990, "month": 2, "day": 8},
}


def _figure(name: str, rate: float, *, cpu: float) -> Figure:
    load = Load(calls=int(rate * 2), seconds=2.0, refused=0, broken=0, p50=0.001, p99=0.009)
    return Figure(name, name, 0, [Stretch(load, cpu * load.calls, 0, 1 << 20)])


def _result(*, rate: float = 1000, start: float = 1.0, reset: float = 0.01) -> Beside:
    return Beside(
        machine=[("processor", "one")],
        pinned=True,
        answer_bytes=2007,
        figures=[
            _figure("population", rate, cpu=0.0002),
            _figure("wiremock", 3 * rate, cpu=0.00005),
            _figure("mountebank", 2 * rate, cpu=0.0001),
        ],
        aims={"population": 400},
        starts={"our mocks": [0.5, start], "WireMock": [3.0, 3.0]},
        again=Again(1.5, 41_000, 27 << 20),
        resets=[Reset(0.001, 5), Reset(reset, 7)],
        disk="ext4",
        sync_seconds=0.000136,
        seconds=3,
    )


def test_report_says_that_the_work_is_not_equal_and_states_the_ratio() -> None:
    """Nobody reads the ratio without having read that the peers answer canned bytes."""
    text = beside_report.render(_result())
    assert text.index("do not do the same work") < text.index("| server |")
    assert "WireMock answers 3.0 × as many requests a second at 0.25 × the CPU" in text
    assert "Mountebank answers 2.0 × as many" in text
    assert "one durable write of 300 bytes takes 136 µs" in text


@pytest.mark.parametrize(
    ("figures", "row"),
    [
        ({"rate": 400}, "| population, requests/s | ≥ 400 | 400 | kept |"),
        ({"rate": 399}, "| population, requests/s | ≥ 400 | 399 | **missed** |"),
        ({"start": 1.99}, "| our mocks: start | < 2 s | 1.25 s, worst of 2 1.99 s | kept |"),
        ({"start": 2.0}, "| our mocks: start | < 2 s | 1.25 s, worst of 2 2.00 s | **missed** |"),
        ({"reset": 0.049}, "reset, the worst of 7 exchanges | < 50 ms | 25.0 ms, worst of 2 49.0 ms | kept |"),
        ({"reset": 0.050}, "reset, the worst of 7 exchanges | < 50 ms | 25.5 ms, worst of 2 50.0 ms | **missed** |"),
    ],
)
def test_report_judges_each_aim_by_its_worst_case(figures: dict[str, float], row: str) -> None:
    """An aim is kept or missed in words, and one slow start or reset is enough to miss it."""
    assert row in beside_report.render(_result(**figures))


def test_report_judges_only_our_own_start() -> None:
    """The peers have promised nothing."""
    assert "| WireMock: start | – | 3.00 s, worst of 2 3.00 s | – |" in beside_report.render(_result())


def test_report_says_when_cores_were_shared() -> None:
    """A figure for one core is not claimed where cores could not be dealt out."""
    result = _result()
    result.pinned = False
    assert "shared their cores" in beside_report.render(result)


def test_part_is_appended_once_and_then_replaced_alone(tmp_path: Path) -> None:
    """The part can be measured again alone, and the gateway's figures on the same page stay as they are."""
    page = tmp_path / "benchmarks.md"
    page.write_text(f"words\n\n{report.BEGIN}\ngateway\n{report.END}\n")
    beside_report.write(page, _result(rate=1234))
    beside_report.write(page, _result(rate=4321))
    text = page.read_text()
    assert text.startswith(f"words\n\n{report.BEGIN}\ngateway\n{report.END}\n")
    assert text.count(beside_report.BEGIN) == text.count(beside_report.HEADING) == 1
    assert "4,321" in text
    assert "1,234" not in text
    report.write(page, "measured again")
    assert page.read_text() == text.replace("\ngateway\n", "\n\nmeasured again\n")


def test_part_with_one_marker_is_refused(tmp_path: Path) -> None:
    """A page on which somebody has lost a marker is not overwritten."""
    page = tmp_path / "benchmarks.md"
    page.write_text(beside_report.BEGIN)
    with pytest.raises(ValueError, match="markers"):
        beside_report.write(page, _result())
    assert page.read_text() == beside_report.BEGIN


def _found(folder: Path) -> peers.Found:
    jar = folder / "wiremock" / "build" / "wiremock-standalone-3.13.2.jar"
    mb = folder / "mountebank" / "bin" / "mb"
    for file in (jar, mb):
        file.parent.mkdir(parents=True)
        file.touch()
    (folder / "mountebank" / "package.json").write_text('{"version": "2.9.1"}')
    return peers.find(Path("/bin/java"), Path("/bin/node"), folder)


def test_peers_are_found_with_their_versions(tmp_path: Path) -> None:
    """The report names the versions that ran, not those that were asked for."""
    found = _found(tmp_path)
    assert (found.wiremock_version, found.mountebank_version) == ("3.13.2", "2.9.1")


@pytest.mark.parametrize(
    ("java", "node", "installed", "missing"),
    [
        (False, True, ("wiremock", "mountebank"), "Java runtime"),
        (True, False, ("wiremock", "mountebank"), r"Node\.js"),
        (True, True, ("mountebank",), "WireMock"),
        (True, True, ("wiremock",), "Mountebank"),
    ],
)
def test_missing_peer_is_named(
    tmp_path: Path, *, java: bool, node: bool, installed: Sequence[str], missing: str
) -> None:
    """A part that is missing stops the run with a sentence that names it and how it is installed."""
    _found(tmp_path)
    for name in {"wiremock", "mountebank"} - set(installed):
        (tmp_path / name).rename(tmp_path / f"no-{name}")
    program = Path("/bin/program")
    with pytest.raises(BenchError, match=rf"{missing} is missing.*`make bench` installs"):
        peers.find(program if java else None, program if node else None, tmp_path)


def test_wiremock_gets_a_stub_for_each_operation(tmp_path: Path) -> None:
    """WireMock listens on loopback only, matches method, path and element, and answers the bytes it was given."""
    folder = tmp_path / "run"
    folder.mkdir()
    command = [str(part) for part in peers.wiremock(_found(tmp_path), URL, CANNED)(folder)]
    assert command[command.index("--bind-address") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "8181"
    first, second = json.loads((folder / "mappings" / "population.json").read_text())["mappings"]
    assert first["request"] == {
        "method": "POST",
        "urlPath": "/population",
        "bodyPatterns": [{"contains": ":TraCuu>"}],
    }
    assert first["response"] == {"status": 200, "headers": {"Content-Type": "text/xml"}, "body": "<found/>"}
    assert second["request"]["bodyPatterns"] == [{"contains": ":XacThuc>"}]


def test_mountebank_gets_a_stub_for_each_operation(tmp_path: Path) -> None:
    """Mountebank listens on loopback only, matches method, path and element, and answers the bytes it was given."""
    folder = tmp_path / "run"
    folder.mkdir()
    command = [str(part) for part in peers.mountebank(_found(tmp_path), URL, 9090, CANNED)(folder)]
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert "--localOnly" in command
    (imposter,) = json.loads((folder / "imposters.json").read_text())["imposters"]
    assert (imposter["host"], imposter["port"]) == ("127.0.0.1", 8181)
    first, second = imposter["stubs"]
    assert first["predicates"] == [
        {"equals": {"method": "POST", "path": "/population"}},
        {"contains": {"body": ":TraCuu>"}},
    ]
    assert first["responses"][0]["is"]["body"] == "<found/>"
    assert second["responses"][0]["is"]["body"] == "<yes/>"


def test_lookup_asks_in_the_element_by_which_the_peers_tell_it() -> None:
    """The load's look-up is well-formed, names the citizen, and holds the text that the peers look for."""
    question = Question.about(CITIZEN, READY)
    text = question.soap("BENCH-1-{{n}}", "CB_THU_01", LOOKUP)
    (asked,) = etree.fromstring(text.encode()).iter(f"{{http://dancuquocgia.bca}}{LOOKUP.element}")
    fields = {etree.QName(child).localname: child.text for child in asked}
    assert fields["SoDinhDanh"] == "999190000017"
    assert fields["MaTichHop"] == "037"
    assert "<dan:NgayThangNam>19900208</dan:NgayThangNam>" in text
    assert f":{LOOKUP.element}>" in text


def test_load_signs_as_the_first_account_of_the_ready_line() -> None:
    """The bench has no credential of its own for our door."""
    credential = Credential.of_mock(READY)
    assert (credential.user, credential.secret, credential.api_key) == ("a", "b", "c")
    headers = credential.headers()
    assert headers["X-Road-Client"] == "VN-TEST/GOV/1"
    assert headers["ApiKey"] == "c"


def test_lock_of_the_peers_names_no_registry() -> None:
    """Everybody installs from the registry that is set up where they are."""
    lock = json.loads((NODE / "package-lock.json").read_text())
    assert "omit-lockfile-registry-resolved=true" in (NODE / ".npmrc").read_text().splitlines()
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
