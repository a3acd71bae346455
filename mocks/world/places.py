"""Places to live in: today's communes, each with the old units that it grew out of, and details of an address."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mocks.world.people import Address, OldUnit

if TYPE_CHECKING:
    from random import Random

HAMLETS = ("Thôn", "Ấp", "Bản", "Tổ dân phố", "Khu phố", "Xóm", "Buôn")
STREETS = ("Đường Thử Nghiệm", "Phố Mẫu", "Ngõ Ví Dụ", "Hẻm Kiểm Thử")


@dataclass(frozen=True, slots=True)
class Origin:
    """An old unit that became part of a commune; `text` is how an old address names it."""

    unit: OldUnit
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A commune of today."""

    province: str
    commune: str
    origins: tuple[Origin, ...]


@cache
def places() -> tuple[Place, ...]:
    """Return every commune of today, by province and code."""
    origins: dict[str, list[Origin]] = defaultdict(list)
    districts = _table("districts_before_2025.json")
    for code, (district, name, into) in _table("communes_before_2025.json").items():
        province, district_name = districts[district][:2]
        for commune in into:
            origins[commune].append(Origin(OldUnit(province, district, code), f"{name}, {district_name}"))
    for code, (province, name, *into) in districts.items():
        for commune in (commune for communes in into for commune in communes):
            origins[commune].append(Origin(OldUnit(province, code, None), name))
    return tuple(
        Place(province, commune, tuple(origins[commune]))
        for province, communes in _table("communes.json").items()
        for commune in communes
    )


def _table(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files("contracts").joinpath("units", name).read_text("utf-8"))
    return content


def address(rng: Random, place: Place) -> Address:
    """Return some address in the commune."""
    origin = rng.choice(place.origins)
    return Address(place.province, place.commune, _detail(rng), origin.unit)


def merged_address(rng: Random, place: Place) -> Address:
    """Return an address that still names an old commune which no longer bears its code."""
    gone = [origin for origin in place.origins if origin.unit.commune != place.commune] or list(place.origins)
    origin = rng.choice(gone)
    return Address(place.province, place.commune, f"{_detail(rng)}, {origin.text}", origin.unit)


def _detail(rng: Random) -> str:
    hamlet = f"{rng.choice(HAMLETS)} {rng.randint(1, 24)}"
    return f"Số {rng.randint(1, 400)} {rng.choice(STREETS)}, {hamlet}" if rng.random() < 0.4 else hamlet  # noqa: PLR2004 - a share
