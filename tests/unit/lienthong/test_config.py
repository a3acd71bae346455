from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong import app
from lienthong.stop import ExitCode
from tests.support.frontdoor import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Command = Callable[..., tuple[int, str, str]]


def test_a_good_configuration_is_told_in_short(command: Command, configured: Path) -> None:
    """The check says what would be served, from which store, and for which systems."""
    code, out, err = command("config", "check", "--config", str(configured))
    assert (code, err) == (ExitCode.DONE, "")
    for part in ("The configuration is good.", "http://127.0.0.1:8080", "lt.db", "population"):
        assert part in out


def test_the_file_in_the_working_directory_is_found(command: Command, configured: Path) -> None:
    """Without `--config` it is `lienthong.toml` in the working directory."""
    assert configured.name == "lienthong.toml"
    assert command("config", "check")[0] == ExitCode.DONE


def test_the_variable_names_the_file(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`LIENTHONG_CONFIG` does what `--config` does, and the language variable is no key of the configuration."""
    moved = configured.rename(tmp_path / "other.toml")
    monkeypatch.setenv("LIENTHONG_CONFIG", str(moved))
    monkeypatch.setenv("LIENTHONG_LANG", "en")
    assert command("config", "check")[0] == ExitCode.DONE


def test_every_wrong_key_is_named(command: Command, configured: Path) -> None:
    """All mistakes are told at once, each by its dotted path, and none by its value."""
    content = configured.read_text("utf-8").replace("xroad_client", "xroad_klient")
    configured.write_text(f'{content}\n[server]\nport = "a-secret-port"\nwidth = 3\n[sister]\n', encoding="utf-8")
    code, out, err = command("config", "check")
    assert (code, out) == (ExitCode.USAGE, "")
    for key in (
        "server.port",
        "server.width",
        "sister",
        "systems.population.adapter.xroad_client",
        "systems.population.adapter.xroad_klient",
    ):
        assert key in err
    assert "a-secret-port" not in err
    assert "Correct each key" in err


def test_files_that_cannot_be_read_are_named(command: Command, configured: Path) -> None:
    """A certificate that is not there is found by the check, not by the first caller."""
    tls = '[server]\ntls_certificate_file = "gone.pem"\ntls_key_file = "gone.key"\n'
    configured.write_text(configured.read_text("utf-8") + tls, encoding="utf-8")
    code, _, err = command("config", "check")
    assert code == ExitCode.USAGE
    assert "server.tls_certificate_file: gone.pem" in err
    assert "server.tls_key_file: gone.key" in err


def test_no_configuration_is_no_invitation(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no configuration no verb makes an empty store by mistake."""
    monkeypatch.chdir(tmp_path)
    code, _, err = command("clients", "list")
    assert code == ExitCode.USAGE
    assert "There is no configuration." in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_named(command: Command, tmp_path: Path) -> None:
    """A mistyped path is told as such."""
    code, _, err = command("config", "check", "--config", str(tmp_path / "gone.toml"))
    assert code == ExitCode.USAGE
    assert "gone.toml cannot be read: No such file" in err


def test_wrong_keys_are_told_in_vietnamese(capsys: pytest.CaptureFixture[str], configured: Path) -> None:
    """What is wrong with a key is said in the operator's language, like everything around it."""
    content = configured.read_text("utf-8").replace("endpoint", "endpunkt")
    configured.write_text(f'{content}\n[server]\nport = "x"\n', encoding="utf-8")
    assert app.run(["--lang", "vi", "config", "check"]) == ExitCode.USAGE
    err = capsys.readouterr().err
    for line in (
        "server.port: phải là số nguyên.",
        "systems.population.adapter.endpoint: thiếu khóa này.",
        "systems.population.adapter.endpunkt: không có khóa nào tên như vậy.",
    ):
        assert line in err


def test_a_variable_that_cannot_be_read_is_told(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole section in one variable has to be JSON; where it is not, its value is not shown."""
    assert configured.exists()
    monkeypatch.setenv("LIENTHONG_SERVER", "{a-secret")
    code, _, err = command("config", "check")
    assert (code, "server" in err, "a-secret" in err) == (ExitCode.USAGE, True, False)


def test_the_environment_alone_is_a_configuration(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container needs no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIENTHONG_STORE__PATH", str(tmp_path / "lt.db"))
    assert command("config", "check")[0] == ExitCode.DONE


def test_a_certificate_that_is_none_is_told(command: Command, configured: Path) -> None:
    """A certificate that cannot be loaded is found by the check already, and `serve` ends with the same sentence."""
    for name in ("tls.pem", "tls.key"):
        configured.with_name(name).write_text("no certificate", encoding="utf-8")
    tls = '[server]\nport = 0\ntls_certificate_file = "tls.pem"\ntls_key_file = "tls.key"\n'
    configured.write_text(configured.read_text("utf-8") + tls, encoding="utf-8")
    code, _, err = command("config", "check")
    assert (code, "The certificate tls.pem and its key cannot be used" in err) == (ExitCode.USAGE, True)
    done = run("serve")
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "The certificate tls.pem and its key cannot be used" in done.stderr
