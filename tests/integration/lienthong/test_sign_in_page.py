"""`docs/sign-ins.md` is copied from: whoever follows it line by line has signed a citizen in and out."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.settings import Settings
from lienthong.app import run
from lienthong.stop import ExitCode
from mocks.doors.vneid.settings import VneidDoorSettings
from tests.support.example import EXAMPLE, prepared
from tests.support.frontdoor import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.support.example import Prepared

ROOT: Final = Path(__file__).parents[3]
SECTION: Final = (ROOT / "docs" / "sign-ins.md").read_text("utf-8").partition("## Try it in five minutes")[2]
BLOCKS: Final = re.findall(r"```console\n(.*?)```", SECTION.partition("\n## ")[0], re.DOTALL)
SETUP, GO, CLAIM, RECIPES, REGISTER = ([one.strip() for one in re.split(r"(?m)^\$ ", block)[1:]] for block in BLOCKS)
"""The commands of each block; one may have several lines."""
MAKE: Final = next(one for one in SETUP if one.startswith("MADE="))
FUNCTIONS: Final = [one for one in SETUP if "() {" in one]
SECONDS: Final = 120


def test_the_mocks_know_a_gateway_with_the_example_configuration() -> None:
    """Nothing has to be registered by hand: client, secret and both addresses are those that the mocks begin with."""
    door = Settings.read(EXAMPLE).systems.vneid
    assert door is not None
    client = door.adapter.client
    assert client is not None
    assert client.secret is not None
    known = {one.username: one for one in VneidDoorSettings().accounts}[client.client_id]
    assert client.secret.get_secret_value() == known.secret
    assert door.adapter.callback in known.redirect_uris
    assert door.adapter.after_logout in known.post_logout_redirect_uris


def test_the_citizen_of_the_page_is_there() -> None:
    """Number and password are those of the README's citizen and of the mocks."""
    (number,) = re.findall(r"`(999[0-9]{9})`", SECTION)
    assert number in (ROOT / "README.md").read_text("utf-8")
    assert f"`{VneidDoorSettings().password}`" in SECTION


def test_who_follows_the_page_has_signed_somebody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the example configuration, on other ports: the claim, the log-out, and all that goes wrong on purpose."""
    with prepared(tmp_path) as place:
        for name, value in place.variables.items():
            monkeypatch.setenv(name, value)
        _done("lienthong agencies add 000.00.01.H99 'UBND xã Mẫu'")
        _done(SETUP[0].removeprefix("SIGNER=$(").removesuffix(")"))
        shell = Shell(place, environment(**place.variables, SIGNER=capsys.readouterr().out.strip()))
        with place.serving():
            _done(place.elsewhere(REGISTER[0]))
            _done(GO[0])
            *_, at, person, out = shell.typed(MAKE, GO[1], *CLAIM)
            came = []
            for recipe in RECIPES:
                _done(recipe)
                came.append(shell.typed(MAKE, GO[1], *CLAIM[:2])[-2:])
        citizen = place.world.people(limit=1)[0]
    assert at.startswith(place.elsewhere("http://127.0.0.1:8000/dang-nhap?sign_in="))
    told, ended = json.loads(person), json.loads(out)
    account = told["account"]
    assert (told["sufficient"], account["identity_number"]) == (True, citizen["identity_number"])
    assert account["tech_id"] == citizen["account"]
    assert (ended["tokens"], ended["linked"]) == ("ended", "ended")
    assert ended["leave_url"].startswith(place.elsewhere("http://127.0.0.1:8080/sign-ins/"))
    (_, low), (refused, nobody), (denied, no), (down, away) = came
    assert json.loads(low)["next_step"]
    assert "sign-ins/callback?" in refused
    assert denied.endswith("outcome=denied")
    assert down.startswith(place.elsewhere("http://127.0.0.1:9100/"))
    assert all("account" not in json.loads(one) for one in (nobody, no, away))


def _done(command: str) -> None:
    """Do a command of ours, here."""
    assert run(shlex.split(command.replace("\\\n", ""), comments=True)[1:]) == ExitCode.DONE


@dataclass(frozen=True)
class Shell:
    """A shell on the ports of a place."""

    place: Prepared
    environment: Mapping[str, str]

    def typed(self, *commands: str) -> list[str]:
        """Type commands, after the functions of the page, and return the lines that they printed."""
        python = f'python3() {{ {shlex.quote(sys.executable)} "$@"; }}'
        lines = "\n".join((python, *FUNCTIONS, *(f"{one}\necho" for one in commands)))
        done = subprocess.run(  # noqa: S603 - our own page
            ["/bin/sh", "-c", self.place.elsewhere(lines)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert not done.stderr, done.stderr
        return [line for line in done.stdout.splitlines() if line]
