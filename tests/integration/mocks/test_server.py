"""The mocks as a process: how they start, what they say, and how they end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.mocks import Mocks, envelope, joined, running, start

if TYPE_CHECKING:
    import subprocess


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the ready line."""
    assert process.stdout is not None
    line: dict[str, str] = json.loads(process.stdout.readline())
    return line


def test_ready_line_has_all_that_a_caller_needs() -> None:
    """One line tells addresses and made-up credentials; with them the first call succeeds at once."""
    with running("--seed", "3", "--citizens", "300") as mocks:
        assert (mocks.ready["seed"], mocks.ready["citizens"]) == (3, 300)
        assert mocks.ready["admin"].endswith("/__mock__/")
        assert mocks.ready["admin_access"] == "loopback"
        assert mocks.ready["namespace_header"] == "X-Mock-Namespace"
        assert len(mocks.ready["credentials"]["population"]["accounts"]) == 3
        assert ">true<" in mocks.call("verify", mocks.people(limit=1)[0]).text


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_when_told(how: signal.Signals) -> None:
    """SIGTERM and SIGINT end it in order, with 0, although a call hangs and a connection is open."""
    process = start("--citizens", "300")
    try:
        admin = ready(process)["admin"]
        with httpx.Client(timeout=5) as client:
            assert client.get(admin + "health").status_code == 200
            fault = {"what": "hang", "until": {"count": 1}}
            assert client.post(admin + "faults", json=fault).status_code == 201
            address = admin.removeprefix("http://").partition("/")[0].split(":")
            with socket.create_connection((address[0], int(address[1])), timeout=5) as hanging:
                hanging.sendall(b"POST /population HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n\r\nx")
                while not client.get(admin + "exchanges").json()["total"]:
                    pass
                process.send_signal(how)
                before = time.monotonic()
                process.wait(timeout=10)
                assert time.monotonic() - before < 5
                assert hanging.recv(1) == b""
    finally:
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_a_journal_is_kept_until_the_end() -> None:
    """Without a file of its own the journal lies where the ready line says, and goes when the mocks stop in order."""
    with running("--citizens", "300") as mocks:
        journal = Path(mocks.ready["journal"])
        mocks.call("verify", mocks.people(limit=1)[0])
        assert b'"exchange"' in journal.read_bytes()
        assert journal.stat().st_mode & 0o077 == 0
    assert not journal.parent.exists()


def test_killed_and_started_again_it_goes_on(tmp_path: Path) -> None:
    """Killed with −9 and started on the same port with the journal of the ready line, it has lost nothing."""
    process = start("--citizens", "300", "--record-requests")
    first = ready(process)
    with httpx.Client(timeout=10, trust_env=False) as client:
        mocks = Mocks(first, client)
        person = mocks.people(limit=1)[0]
        mocks.call("verify", person)
        mocks.fault("busy", until={"count": 3})
        mocks.call("verify", person)
        mocks.admin("POST", "clock", {"freeze": True})
        paths = ("exchanges", "effects", "faults", "dialects")
        before = [mocks.admin("GET", path).json() for path in paths]
        now = mocks.admin("GET", "clock").json()["now"]
        process.kill()
        process.communicate()
        journal = shutil.copy(first["journal"], tmp_path / "journal")
        shutil.rmtree(Path(first["journal"]).parent)
        port = httpx.URL(first["admin"]).port
        with running("--citizens", "300", "--port", str(port), "--journal", str(journal)) as again:
            assert again.ready == {**first, "journal": str(journal)}
            assert [again.admin("GET", path).json() for path in paths] == before
            assert again.admin("GET", "clock").json()["now"] == now
        assert journal.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b"shopping list: rice, fish sauce\n", "not a journal"),
        (b"shopping list", "not a journal"),
        (b'{"format":1,"seed":2,"citizens":300}\n', "seed 2"),
        (b'{"format":1,"seed":1,"citizens":300}\n{"space":"default","weather":"rain"}\n', "do not understand"),
        (b'{"format":1,"seed":1,"citizens":300}\n{"space":"default","exchange":{}}\n', "do not understand"),
    ],
)
def test_a_wrong_journal_is_told_and_left_alone(tmp_path: Path, content: bytes | None, told: str) -> None:
    """A journal that cannot be used is told in a sentence that names it, and the file is as it was."""
    file = tmp_path / "journal"
    if content is None:
        file = tmp_path / "nowhere" / "journal"
    else:
        file.write_bytes(content)
    process = start("--citizens", "300", "--journal", str(file))
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert errors.startswith("mocks: ")
    assert told in errors
    assert str(file) in errors
    assert "Traceback" not in errors
    assert content is None or file.read_bytes() == content


def test_one_journal_one_mock(tmp_path: Path) -> None:
    """A journal that another mock writes is not taken from it."""
    file = str(tmp_path / "journal")
    with running("--citizens", "300", "--journal", file):
        process = start("--citizens", "300", "--journal", file)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "another mock writes this journal" in errors


@pytest.mark.parametrize("by_file", [True, False])
def test_a_key_is_read_and_never_shown(tmp_path: Path, *, by_file: bool) -> None:
    """The key comes from a file or the environment; the ready line says that one is needed, and nothing shows it."""
    key = "khoa-quan-tri-mau-2"
    file = tmp_path / "key"
    file.write_text(key + "\n", "utf-8")
    arguments = ["--admin-key-file", str(file)] if by_file else []
    environment = {**os.environ, **({} if by_file else {"LIENTHONG_MOCKS_KEY": key})}
    process = start("--citizens", "300", "--log-exchanges", *arguments, env=environment)
    line = ready(process)
    with httpx.Client(timeout=10, trust_env=False) as client:
        assert client.get(line["admin"] + "health").status_code == 401
        answer = client.get(line["admin"] + "health", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200
        written = Path(line["journal"]).read_text("utf-8")
    out, errors = process.communicate(timeout=10)
    assert line["admin_access"] == "key"
    assert key not in json.dumps(line) + answer.text + written + out + errors


@pytest.mark.parametrize(("content", "told"), [(None, "No such file"), ("", "one word"), ("two words", "one word")])
def test_a_wrong_key_file_is_told(tmp_path: Path, content: str | None, told: str) -> None:
    """A key file that is missing, empty or holds no key is told in a sentence that does not repeat what it holds."""
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content, "utf-8")
    process = start("--citizens", "300", "--admin-key-file", str(file))
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert told in errors
    assert not content or content not in errors


def test_stops_when_its_parent_is_gone() -> None:
    """With standard input closed it ends by itself."""
    process = start("--citizens", "300")
    ready(process)
    out, errors = process.communicate(timeout=10)
    assert (process.returncode, out, errors) == (0, "", "")


def test_a_taken_port_is_told() -> None:
    """A port that is taken is told in a sentence, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start("--port", port, "--citizens", "300")
        out, errors = process.communicate(timeout=10)
    assert (process.returncode, out) == (2, "")
    assert port in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("text", "told"),
    [("[nowhere]\n", "table for each door"), ("[population]\ncolour = 'red'\n", "colour"), ("[population", "Expected")],
)
def test_wrong_settings_are_told(tmp_path: Path, text: str, told: str) -> None:
    """A settings file that is not understood is told in a sentence."""
    file = tmp_path / "mocks.toml"
    file.write_text(text, "utf-8")
    process = start("--settings", str(file))
    out, errors = process.communicate(timeout=10)
    assert (process.returncode, out) == (2, "")
    assert told in errors
    assert "Traceback" not in errors


def test_too_few_citizens_are_told() -> None:
    """A world that is too small is told in a sentence."""
    process = start("--citizens", "3")
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert errors.startswith("mocks: a world needs at least")


def test_settings_change_the_door(tmp_path: Path) -> None:
    """Path, hashed address and dialects are the operator's to set."""
    file = tmp_path / "mocks.toml"
    file.write_text(
        '[population]\npath = "/c06/tra-cuu"\nsv_url = "http://khac.example/"\n'
        '[population.dialects]\nprefix = "random"\n',
        "utf-8",
    )
    with running("--citizens", "300", "--settings", str(file)) as mocks:
        assert mocks.url.endswith("/c06/tra-cuu")
        answer = mocks.call("verify", mocks.people(limit=1)[0])
        assert "TonTai>true" in answer.text
        assert "ns1:" not in answer.text


def test_logs_hold_nothing_personal() -> None:
    """With every exchange logged, neither names nor numbers of anybody are in the log."""
    process = start("--citizens", "300", "--log-exchanges")
    try:
        line = ready(process)
        with httpx.Client(timeout=10) as client:
            mocks = Mocks(line, client)
            people = [person for person in mocks.people(limit=300) if person["identity_number"]]
            for person in people[:60]:
                mocks.call("lookup", person)
            mocks.call("lookup", people[0], MaCanBo=None)
            client.post(mocks.url, headers=mocks.headers(), content=envelope("lookup", people[0])[:-9])
    finally:
        out, errors = process.communicate(timeout=10)
    lines = [json.loads(line) for line in errors.splitlines()]
    assert len(lines) == 62
    assert {one["event"] for one in lines} == {"exchange"}
    for person in people:
        for secret in (person["identity_number"], person["old_card_number"], person["name"], joined(person["name"])):
            assert not secret or len(secret) < 9 or secret not in out + errors


def test_callers_who_leave_are_no_error() -> None:
    """Callers who are gone before their answer has left, at whatever moment, leave no trace on standard error."""
    with running("--citizens", "300") as mocks:
        headers, message = mocks.headers(), envelope("lookup", mocks.people(limit=1)[0])
        address = httpx.URL(mocks.url)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head += f"Host: {address.host}\r\nContent-Length: {len(message)}\r\n"
        request = f"POST {address.path} HTTP/1.1\r\n{head}\r\n".encode() + message
        for number in range(100):
            with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
                connection.sendall(request * 2)
                if number % 2:
                    connection.recv(10)
        assert mocks.admin("GET", "health").json()["status"] == "ok"
