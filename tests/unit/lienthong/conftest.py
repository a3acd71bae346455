from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import typer.main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ADAPTER = """
[systems.population.adapter]
endpoint = "http://127.0.0.1:9/population"
sv_url = "http://population.example/CungCapThongTin"
xroad_client = "VN-TEST/GOV/000.00.01.H99/motcua"
officers = { "canbo.thu01" = "CB001" }
credential = { username = "thu_xa_mot", secret = "made up", api_key = "made up" }
"""


@pytest.fixture(scope="session", autouse=True)
def _put_together_once() -> Iterator[None]:
    """Put the commands together once for all tests, and not for each command line: they remember nothing."""
    from lienthong import app  # noqa: PLC0415 - slow to import

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "application", cache(app.application))
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on the machine's language or configuration."""
    for name in ("LIENTHONG_LANG", "LIENTHONG_CONFIG", "LC_ALL", "LC_MESSAGES", "LANG", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a working directory with a configuration of its own, and return the file."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "lienthong.toml"
    file.write_text(f'[store]\npath = "lt.db"\nkeys = "keys"\n{ADAPTER}', encoding="utf-8")
    return file


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run one command line in English and return exit code, standard output and standard error."""
    from lienthong.app import run  # noqa: PLC0415 - slow to import, and not every test needs it

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["--lang", "en", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call
