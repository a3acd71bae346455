"""The mocks as a process, and a bare caller that builds its own messages: neither adapter nor mock code is used."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import time
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import httpx

from tests.support import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

Person = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent.parent
ELEMENTS = {"lookup": "TraCuuThongTinCongDan", "verify": "XacThucThongTinCongDan"}
CODES = {"lookup": "037", "verify": "003"}
OPERATIONS = tuple(ELEMENTS)


def joined(name: str) -> str:
    """Return a name in upper case, without diacritics and spaces."""
    plain = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace(" ", "")


def birth_element(birth: dict[str, int | None]) -> str:
    """Return the one child that `NgayThangNamSinh` has."""
    if birth["month"] is None:
        return f"<dan:Nam>{birth['year']}</dan:Nam>"
    return f"<dan:NgayThangNam>{birth['year']:04}{birth['month']:02}{birth['day']:02}</dan:NgayThangNam>"


def envelope(operation: str, person: Person, **fields: str | None) -> bytes:
    """Return a request about `person`; `fields` replace what would be sent, `None` leaves an element out."""
    number = {"SoDinhDanh": person["identity_number"]}
    if number["SoDinhDanh"] is None:
        number = {"SoCMND": person["old_card_number"]}
    content: dict[str, str | None] = {
        "MaYeuCau": "MC-1",
        "MaDVC": "9.000001",
        "MaTichHop": CODES[operation],
        "MaCanBo": "CB_THU_01",
        **number,
        "HoVaTen": joined(person["name"]),
        **fields,
    }
    element = ELEMENTS[operation]
    inner = "".join(f"<dan:{name}>{escape(text)}</dan:{name}>" for name, text in content.items() if text is not None)
    inner += f"<dan:NgayThangNamSinh>{birth_element(person['birth'])}</dan:NgayThangNamSinh>"
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:dan="http://dancuquocgia.bca">'
        f"<soapenv:Header/><soapenv:Body><dan:{element}>{inner}</dan:{element}></soapenv:Body></soapenv:Envelope>"
    ).encode()


@dataclass
class Mocks:
    """Running mocks, and a caller with an account of theirs."""

    ready: dict[str, Any]
    client: httpx.Client
    _ids: count[int] = field(default_factory=lambda: count(1))

    @property
    def url(self) -> str:
        """Where the population door is."""
        return str(self.ready["population"])

    def headers(self, *, seconds_ago: float = 0.0, account: int = 0) -> dict[str, str]:
        """Return the headers of contract variant P1."""
        credentials = self.ready["credentials"]["population"]
        holder = credentials["accounts"][account]
        stamp = str(int((time.time() - seconds_ago) * 1000))
        secret = f"{credentials['sv_url']}{holder['username']}{stamp}{holder['secret']}"
        password = hashlib.sha256(secret.encode()).hexdigest()
        return {
            "Content-Type": "application/xml; charset=utf-8",
            "SOAPAction": '""',
            "Timestamp": stamp,
            "ApiKey": holder["api_key"],
            "X-Road-Client": credentials["xroad_client"],
            "Authorization": "Basic " + base64.b64encode(f"{holder['username']}:{password}".encode()).decode(),
        }

    def call(self, operation: str, person: Person, *, account: int = 0, **fields: Any) -> httpx.Response:
        """Ask the door about `person`, with a request id of its own."""
        fields.setdefault("MaYeuCau", f"MC-{next(self._ids)}")
        body = envelope(operation, person, **fields)
        return self.client.post(self.url, headers=self.headers(account=account), content=body)

    def admin(self, method: str, path: str, content: object = None) -> httpx.Response:
        """Call the admin API."""
        return self.client.request(method, self.ready["admin"] + path, json=content)

    def fault(self, what: str, **parts: Any) -> dict[str, Any]:
        """Put a fault in force; `for` and `with` are given as `whom` and `details`."""
        names = {"whom": "for", "details": "with"}
        content = {"what": what, "until": {"count": 1}, **{names.get(name, name): part for name, part in parts.items()}}
        answer = self.admin("POST", "faults", content)
        assert answer.status_code == 201, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def people(self, *, oddity: str = "", limit: int = 100, offset: int = 0) -> list[Person]:
        """Return citizens of the world."""
        answer = self.admin("GET", f"world/citizens?oddity={oddity}&limit={limit}&offset={offset}")
        assert answer.status_code == 200, answer.text
        found: list[Person] = answer.json()["citizens"]
        return found

    def exchanges(self) -> list[dict[str, Any]]:
        """Return what the ledger holds."""
        found: list[dict[str, Any]] = self.admin("GET", "exchanges?limit=10000").json()["exchanges"]
        return found

    def speak(self, **changes: object) -> None:
        """Change dialects of the population door."""
        answer = self.admin("PATCH", "dialects", {"population": changes})
        assert answer.status_code == 200, answer.text


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the mocks as a process that ends with us."""
    command = [sys.executable, "-m", "mocks", "--until-stdin-closes", *arguments]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@contextmanager
def running(*arguments: str) -> Iterator[Mocks]:
    """Run the mocks for as long as the block takes; nothing may have been written to standard error."""
    process = start(*arguments)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    try:
        with httpx.Client(timeout=10, trust_env=False) as client:
            ready = json.loads(line)
            artifacts.note_world(ready["seed"], ready["citizens"])
            yield Mocks(ready, client)
    finally:
        _, errors = process.communicate(timeout=10)
        artifacts.keep("mocks.log", errors)
    assert process.returncode == 0
    assert not errors or "--log-exchanges" in arguments, errors
