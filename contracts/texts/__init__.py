"""The catalogue of human texts: one TOML file per language, Vietnamese first.

Both files have the same keys and the same placeholders; a test holds that. A table's names are those used in code:
`reason` by a failure's slug, `kind`, `party`, `system`, `field`, `refusal`, `state`, `cli`.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from contracts import VIETNAM
from contracts.model import Kind, Layer

if TYPE_CHECKING:
    from datetime import datetime

    from contracts.model import Failure


class Language(StrEnum):
    """The languages that human texts come in."""

    VI = "vi"
    EN = "en"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Return every text of `language` under its dotted key."""
    tables = tomllib.loads((resources.files(__name__) / f"{language}.toml").read_text(encoding="utf-8"))
    flat: dict[str, str] = {}

    def walk(prefix: str, node: dict[str, object]) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            else:
                flat[prefix + key] = str(value)

    walk("", tables)
    return flat


def text(language: Language, key: str, /, **values: str | int) -> str:
    """Return the text under `key` with its placeholders filled. Raises `KeyError` for a key nobody wrote."""
    return catalogue(language)[key].format(**values)


def moment(language: Language, when: datetime) -> str:
    """Return a moment as it is told by the clocks of Vietnam, to the minute."""
    there = when.astimezone(VIETNAM)
    return text(
        language,
        "timeline.when",
        hour=f"{there.hour:02}",
        minute=f"{there.minute:02}",
        day=f"{there.day:02}",
        month=f"{there.month:02}",
        year=there.year,
    )


def system_name(language: Language, system: str) -> str:
    """Return the official name of a system, or its slug while it has none. Endpoints (`kind:id`) share a name."""
    return catalogue(language).get(f"system.{system.partition(':')[0]}", system)


def party(language: Language, failure: Failure) -> str:
    """Return who has to put it right, which is not always where it arose.

    Silence after sending does not tell the network from the system, and says so. A refused account is mended by those
    who hold it, whoever refuses it.
    """
    who = failure.layer.value
    if failure.kind is Kind.UNKNOWN_OUTCOME and failure.layer is Layer.NETWORK:
        who = "unclear"
    elif failure.kind is Kind.CREDENTIAL_REFUSED:
        who = "account"
    return text(language, f"party.{who}", system=system_name(language, failure.operation.system))


def sentence(language: Language, failure: Failure) -> str:
    """Return what happened, in one sentence that can be read out to a citizen."""
    key = f"reason.{failure.reason}.what"
    if key not in catalogue(language):
        key = f"kind.{failure.kind}.what"
    said = text(language, key, system=system_name(language, failure.operation.system))
    return said[:1].upper() + said[1:]


def next_step(language: Language, failure: Failure) -> str:
    """Return what to do next, in one sentence."""
    key = f"reason.{failure.reason}.next"
    if key not in catalogue(language):
        key = f"kind.{failure.kind}.next"
    return text(language, key, system=system_name(language, failure.operation.system))
