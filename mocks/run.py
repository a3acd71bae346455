"""A run as a file: what happened in one namespace since its reset, as JSON lines that another mock can take up.

The first line says which world, which doors and which format; each further line is a record, in order. Says nothing
about deciding a run again: that is `mocks.replay`.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from mocks.spaces import RESTARTED, Space

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mocks.doors import Door

FORMAT = 1
Record: TypeAlias = "dict[str, Any]"


class RunRefused(ValueError):
    """The lines are no run, or none that these mocks can take up; the message says why."""


class _Spoken(BaseModel):
    """How one door was set when the run was made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: str
    """A digest of all its settings."""
    standard: dict[str, Any]
    """The dialects that it began with."""


class Header(BaseModel):
    """The first line of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    run: int
    """The format."""
    seed: int
    citizens: int
    namespace: str
    doors: dict[str, _Spoken]


class Run(BaseModel):
    """A run that was read."""

    header: Header
    records: list[dict[str, Any]]


def header(space: Space, doors: Iterable[Door[Any]]) -> Header:
    """Return the header of a namespace's run."""
    spoken = {
        door.name: _Spoken(settings=digest(door), standard=door.standard.model_dump(mode="json")) for door in doors
    }
    people = space.people
    return Header(run=FORMAT, seed=people.seed, citizens=len(people.citizens), namespace=space.name, doors=spoken)


def digest(door: Door[Any]) -> str:
    """Return what tells one way of setting a door from another."""
    content = json.dumps(door.settings.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def records_of(lines: Iterable[bytes], name: str) -> list[Record]:
    """Return what a journal tells of a namespace since its last reset; the journal's header is passed over."""
    records: list[Record] = []
    for line in lines:
        record = json.loads(line)
        if record.pop("space", None) != name:
            continue
        match record:
            case {"reset": _} | {"removed": True}:
                records = []
            case {"run": _, "records": before}:
                records = before
            case _:
                records.append(record)
    return records


def written(top: Header, records: Iterable[Record]) -> bytes:
    """Return a run as JSON lines."""
    lines = (json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
    return "\n".join((top.model_dump_json(), *lines, "")).encode("utf-8", "surrogatepass")


def read(text: bytes) -> Run:
    """Return the run that JSON lines tell. Raises `RunRefused`."""
    try:
        first, *records = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        raise RunRefused("no run: it is not made of lines of JSON") from None
    if not isinstance(first, dict) or "run" not in first:
        raise RunRefused("no run: the first line is no header of one")
    if first["run"] != FORMAT:
        raise RunRefused(f"a run of another format; these mocks know format {FORMAT}")
    try:
        return Run(header=Header.model_validate(first), records=records)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise RunRefused(f"no run: wrong at {places}") from None


def beginning(top: Header, doors: Mapping[str, Door[Any]]) -> Record:
    """Return the one record that puts a namespace where the run began. Raises `RunRefused`."""
    unknown = [name for name in top.doors if name not in doors]
    if unknown:
        raise RunRefused(f"these mocks have no door {', '.join(unknown)}")
    return {"run": {"seed": top.seed, "citizens": top.citizens}, "records": _spoken(top, doors)}


def taken_up(run: Run, begins: Record) -> Record:
    """Return the one record that puts a namespace where the run ended."""
    return {**begins, "records": [*begins["records"], *run.records, RESTARTED]}


def same_settings(run: Run, doors: Mapping[str, Door[Any]]) -> bool:
    """Say whether the doors of a run were set as these are."""
    return all(name in doors and spoken.settings == digest(doors[name]) for name, spoken in run.header.doors.items())


def _spoken(top: Header, doors: Mapping[str, Door[Any]]) -> list[Record]:
    """Return the records that let doors begin with the dialects that they had, where they differ."""
    return [
        {"speaks": spoken.standard, "door": name}
        for name, spoken in top.doors.items()
        if spoken.standard != doors[name].standard.model_dump(mode="json")
    ]
