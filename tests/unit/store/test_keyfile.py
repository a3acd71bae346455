from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.store import KeyExposed, KeyMissing, WrongKey, keyfile

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """The first call makes a key of 32 bytes, every later one gives the same."""
    keys = tmp_path / "keys"
    key = keyfile.read_or_make(keys / "audit.key")
    assert len(key) == 32
    assert keyfile.read_or_make(keys / "audit.key") == keyfile.read(keys / "audit.key") == key


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """The file is its owner's only, and so is its directory."""
    keys = tmp_path / "keys"
    keyfile.read_or_make(keys / "audit.key")
    assert keys.stat().st_mode & 0o777 == 0o700
    assert (keys / "audit.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_an_exposed_file_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that others can read is named, with the mode that it should have."""
    keys = tmp_path / "keys"
    keyfile.read_or_make(keys / "audit.key")
    (keys / "audit.key").chmod(mode)
    with pytest.raises(KeyExposed) as caught:
        keyfile.read(keys / "audit.key")
    assert (caught.value.path, caught.value.mode, caught.value.wanted) == (keys / "audit.key", mode, 0o600)


def test_an_exposed_directory_is_refused(tmp_path: Path) -> None:
    """A directory in which others could put another key is refused as well."""
    keys = tmp_path / "keys"
    keyfile.read_or_make(keys / "audit.key")
    keys.chmod(0o755)
    with pytest.raises(KeyExposed) as caught:
        keyfile.read(keys / "audit.key")
    assert (caught.value.path, caught.value.wanted) == (keys, 0o700)


def test_a_missing_key_is_not_made_by_reading(tmp_path: Path) -> None:
    """Reading never makes a key, and names the file that is missing."""
    with pytest.raises(KeyMissing) as caught:
        keyfile.read(tmp_path / "keys" / "audit.key")
    assert caught.value.path == tmp_path / "keys" / "audit.key"
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("content", [b"", b"no base64 at all!", b"c2hvcnQ=", b"\xff\xfe"])
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file with something else in it is not replaced but named."""
    keys = tmp_path / "keys"
    keyfile.read_or_make(keys / "audit.key")
    (keys / "audit.key").write_bytes(content)
    with pytest.raises(WrongKey):
        keyfile.read_or_make(keys / "audit.key")
    assert (keys / "audit.key").read_bytes() == content
