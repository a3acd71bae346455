from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Settings, SettingsError, StoreSettings
from gateway.store import NoAccess, open_store
from gateway.store.place import place_of

DSN = "postgresql://lienthong:khong-cho-xem@db.example:5433,db2.example/lienthong?sslmode=verify-full&password=an"


def test_a_file_is_the_default() -> None:
    """Nothing said is a SQLite file; an empty section is nothing said."""
    assert StoreSettings() == StoreSettings.model_validate({}) == StoreSettings(path=Path("var/lienthong.db"))


def test_a_server_is_no_file() -> None:
    """With a DSN there is no path, and what is shown is the place without account and password."""
    settings = StoreSettings.model_validate({"dsn": DSN})
    assert settings.path is None
    assert settings.place == "db.example:5433,db2.example/lienthong"
    assert "khong-cho-xem" not in f"{settings} {settings!r}"
    assert StoreSettings.model_validate({"dsn_file": "/etc/lienthong/dsn"}).place == "/etc/lienthong/dsn"


@pytest.mark.parametrize(
    "given",
    [{"path": "a.db", "dsn": DSN}, {"path": "a.db", "dsn_file": "dsn"}, {"dsn": DSN, "dsn_file": "dsn"}],
)
def test_two_places_at_once_are_refused_by_name(given: dict[str, str]) -> None:
    """A store is in one place: both keys are named, neither value is."""
    with pytest.raises(ValidationError) as caught:
        StoreSettings.model_validate(given)
    words = str(caught.value)
    assert all(f" {name}" in words for name in given)
    assert "khong-cho-xem" not in words


def test_the_environment_does_not_quietly_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A DSN in the environment beside a path in the file is refused, and not taken instead; alone it is taken."""
    monkeypatch.setenv("LIENTHONG_STORE__DSN", DSN)
    file = tmp_path / "lienthong.toml"
    file.write_text('[store]\npath = "a.db"\n', encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Settings.read(file)
    assert [problem.key for problem in caught.value.problems] == ["store"]
    assert "khong-cho-xem" not in str(caught.value)
    assert Settings.read(None).store.dsn is not None


@pytest.mark.parametrize("dsn", ["mysql://a:khong-cho-xem@h/d", "khong-cho-xem", ""])
def test_another_kind_of_address_is_refused(dsn: str) -> None:
    """Only PostgreSQL is spoken; the message quotes nothing of what was given."""
    with pytest.raises(ValidationError) as caught:
        StoreSettings.model_validate({"dsn": dsn})
    assert "khong-cho-xem" not in str(caught.value)


async def test_a_dsn_that_cannot_be_read_is_told_by_its_file(tmp_path: Path) -> None:
    """The file that should hold the DSN is named when it is not there."""
    with pytest.raises(NoAccess) as caught:
        await open_store(StoreSettings(dsn_file=tmp_path / "dsn", keys=tmp_path / "keys"), serving=True)
    assert caught.value.path == tmp_path / "dsn"


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://a:b@h/d", "h/d"),
        ("postgresql://a:b@/d?host=/var/run/postgresql&password=b", "/var/run/postgresql/d"),
        ("postgresql:///d", "localhost/d"),
        ("postgresql://a:b@[::1]:5432/d", "[::1]:5432/d"),
        ("postgresql://a:b@[::1/d", "PostgreSQL"),
    ],
)
def test_a_place_has_no_secret(dsn: str, place: str) -> None:
    """Hosts and database are shown, whatever form the DSN has."""
    assert place_of(dsn) == place
