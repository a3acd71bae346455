"""Accounts: whose they are, and that changed files are noticed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from adapters.population import Credential, Population
from contracts.model import AgencyCode, CredentialRefused, Kind, Layer
from tests.support.population import AGENCY, adapter, partner

if TYPE_CHECKING:
    from pathlib import Path

OTHER = AgencyCode("000.00.02.H99")


def credential(username: str = "sv_mau", secret: str = "bi-mat", api_key: str = "khoa") -> Credential:  # noqa: S107 - made up
    """Return an account."""
    return Credential(username=username, secret=SecretStr(secret), api_key=SecretStr(api_key))


def system(**changes: object) -> Population:
    """Return the adapter with these settings."""
    return adapter(partner(b""), **changes)


def test_a_fingerprint_tells_credentials_apart() -> None:
    """Any part that differs shows; the same account always looks the same."""
    variants = [credential(), credential(username="a"), credential(secret="b"), credential(api_key="c")]
    assert len({one.fingerprint for one in variants}) == 4
    assert credential().fingerprint == credential().fingerprint


def test_a_fingerprint_does_not_confuse_the_parts() -> None:
    """Moving a letter from one part to the next makes another credential."""
    assert credential("ab", "c").fingerprint != credential("a", "bc").fingerprint


def test_nothing_secret_is_shown() -> None:
    """Neither by repr nor by the fingerprint."""
    told = repr(credential())
    assert "bi-mat" not in told
    assert "khoa" not in told


def test_an_agency_uses_its_own_account_or_the_common_one() -> None:
    """Own first; the common one otherwise."""
    own = {"credential": {"username": "sv_rieng", "secret": "s", "api_key": "k"}}
    both = system(agencies={AGENCY.value: own})
    assert both.credential(AGENCY).username == "sv_rieng"
    assert both.credential(OTHER).username == "sv_mau"


@pytest.mark.parametrize("changes", [{"credential": None}, {"credential": None, "agencies": {OTHER.value: {}}}])
def test_an_agency_without_an_account_is_told_so(changes: dict[str, object]) -> None:
    """Nothing is sent under somebody else's name."""
    with pytest.raises(CredentialRefused) as caught:
        system(**changes).credential(AGENCY, Population.LOOKUP)
    told = (caught.value.reason, caught.value.kind, caught.value.layer, caught.value.operation)
    assert told == ("credential_missing", Kind.CREDENTIAL_REFUSED, Layer.OURS, Population.LOOKUP)


def files(folder: Path) -> tuple[Path, Path, Population]:
    """Return two secret files and the adapter that reads them."""
    secret, key = folder / "secret", folder / "key"
    secret.write_text("bi-mat-1\n", encoding="utf-8")
    key.write_text("khoa-1\n", encoding="utf-8")
    account = {"username": "sv_mau", "secret_file": str(secret), "api_key_file": str(key)}
    return secret, key, system(credential=account)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A secret is rotated by writing the file; nothing is restarted."""
    secret, key, population = files(tmp_path)
    first = population.credential(AGENCY)
    assert first.secret.get_secret_value() == "bi-mat-1"
    assert population.credential(AGENCY) is first
    secret.write_text("bi-mat-hai\n", encoding="utf-8")
    second = population.credential(AGENCY)
    assert second.secret.get_secret_value() == "bi-mat-hai"
    assert second.fingerprint != first.fingerprint
    key.write_text("khoa-hai\n", encoding="utf-8")
    assert population.credential(AGENCY).api_key.get_secret_value() == "khoa-hai"


def test_a_file_of_the_same_size_is_read_again_by_its_time(tmp_path: Path) -> None:
    """Time alone is enough; so is another file under the same name."""
    secret, _, population = files(tmp_path)
    population.credential(AGENCY)
    secret.write_text("bi-mat-2\n", encoding="utf-8")
    os.utime(secret, ns=(1, 1))
    assert population.credential(AGENCY).secret.get_secret_value() == "bi-mat-2"
    told = secret.stat()
    other = tmp_path / "new"
    other.write_text("bi-mat-3\n", encoding="utf-8")
    os.utime(other, ns=(told.st_atime_ns, told.st_mtime_ns))
    other.replace(secret)
    assert population.credential(AGENCY).secret.get_secret_value() == "bi-mat-3"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"a\nb", b"x" * 5000])
def test_a_spoilt_file_leaves_the_last_secret_in_use(tmp_path: Path, content: bytes) -> None:
    """Half a write does not cut the province off; the next good file is taken."""
    secret, _, population = files(tmp_path)
    first = population.credential(AGENCY)
    secret.write_bytes(content)
    assert population.credential(AGENCY) is first
    secret.unlink()
    assert population.credential(AGENCY) is first
    secret.write_text("bi-mat-moi\n", encoding="utf-8")
    assert population.credential(AGENCY).secret.get_secret_value() == "bi-mat-moi"


@pytest.mark.parametrize("content", ["khóa", "a\tb", "a\rb"])
def test_a_key_that_no_header_can_carry_is_not_taken(tmp_path: Path, content: str) -> None:
    """It would break the request, or say something else in it."""
    _, key, population = files(tmp_path)
    first = population.credential(AGENCY)
    key.write_text(content, encoding="utf-8")
    assert population.credential(AGENCY) is first


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"a\nb"])
def test_a_file_that_was_never_good_is_told_without_its_content(tmp_path: Path, content: bytes | None) -> None:
    """There is nothing to fall back to: the account is ours to repair."""
    secret, _, population = files(tmp_path)
    if content is None:
        secret.unlink()
    else:
        secret.write_bytes(content)
    with pytest.raises(CredentialRefused) as caught:
        population.credential(AGENCY)
    assert (caught.value.reason, caught.value.layer) == ("credential_unreadable", Layer.OURS)
