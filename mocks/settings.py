"""The settings file of the mocks: a TOML table for each door, one for callbacks. What it may hold is theirs to say."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from mocks.callbacks import CallbackSettings
from mocks.doors.partner.settings import PartnerDoorSettings
from mocks.doors.population.settings import PopulationDoorSettings
from mocks.doors.portal.settings import PortalDoorSettings
from mocks.doors.vneid.settings import VneidDoorSettings

if TYPE_CHECKING:
    from pathlib import Path

    from mocks.doors import Door

TABLES: dict[str, type[BaseModel]] = {
    "population": PopulationDoorSettings,
    "partner": PartnerDoorSettings,
    "portal": PortalDoorSettings,
    "vneid": VneidDoorSettings,
    "callbacks": CallbackSettings,
}
"""The tables, which are also the arguments of `MockApp`."""


def load(path: Path | None) -> dict[str, Any]:
    """Return the settings that the file names, by table. Raises `OSError` or `ValueError`."""
    content: dict[str, Any] = {} if path is None else tomllib.loads(path.read_text("utf-8"))
    if not content.keys() <= TABLES.keys():
        raise ValueError(
            f"the settings file has a table for each door, one for callbacks, and no other: [{'], ['.join(TABLES)}]"
        )
    return {name: TABLES[name].model_validate(table) for name, table in content.items()}


def credentials(door: Door[Any]) -> dict[str, Any]:
    """Return what opens a door: every account, and what the whole door expects beside it."""
    shown = door.settings.model_dump(
        mode="json", include={"accounts", "dstcode", "password", "sv_url", "timestamp_unit", "xroad_clients"}
    )
    clients = shown.pop("xroad_clients", [])
    return {**shown, "xroad_client": clients[0]} if clients else shown


def sentence(error: Exception) -> str:
    """Return what is wrong in one line."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)
