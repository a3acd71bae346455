"""What our adapter should make of a citizen's record: reckoned from the world, as a function of the door's dialects.

Written from the contract's README; neither mock nor adapter code is used.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.model import Address, Citizen, Relative
    from tests.support.conformance import Person

MARITAL = {"unknown": "0", "single": "1", "married": "2", "divorced": "3", "widowed": "4"}
TOGETHER = {**MARITAL, "widowed": "3"}
BLOOD = {None: "00", "A": "01", "B": "02", "AB": "03", "O": "04"}
RELATIONS = {"head": "01", "spouse": "02", "child": "03", "parent": "04"}
Plain = dict[str, Any]


def record(person: Person, head: Person, dialects: Mapping[str, Any]) -> Plain:
    """Return the record of `person`, whose household `head` leads, as the adapter should read it."""
    kin = {name: _kin(person[name]) for name in ("father", "mother", "spouse")}
    places = ("birth_registration", "hometown", "permanent_residence", "current_residence")
    return {
        "identity_number": person["identity_number"],
        "old_card_number": person["old_card_number"],
        "name": _upper(person["name"]),
        "birth": person["birth"],
        "sex": person["sex"],
        "ethnicity": person["ethnicity"],
        "religion": person["religion"],
        "marital_status": (MARITAL if dialects["marital_codes"] == "apart" else TOGETHER)[person["marital_status"]],
        "blood_group": BLOOD[person["blood_group"]],
        "nationality": person["nationality"],
        **{place: _place(person[place], dialects) for place in places},
        **kin,
        "representative": _kin(person["guardian"]),
        "household_head": {**(_kin(head) or {}), "nationality": None},
        "relation_to_head": _relation(person["relation_to_head"], dialects),
    }


def plain(citizen: Citizen) -> Plain:
    """Return what the adapter read, in the same form."""
    head = citizen.household_head
    codes = ("ethnicity", "religion", "marital_status", "blood_group")
    places = ("birth_registration", "hometown", "permanent_residence", "current_residence")
    kin = ("father", "mother", "spouse", "representative", "household_head")
    birth = citizen.birth
    return {
        "identity_number": citizen.identity_number and citizen.identity_number.value,
        "old_card_number": citizen.old_card_number and citizen.old_card_number.value,
        "name": citizen.name.value,
        "birth": birth and {"year": birth.year, "month": birth.month, "day": birth.day},
        "sex": citizen.sex,
        **{name: (code := getattr(citizen, name)) and code.code for name in codes},
        "nationality": citizen.nationality,
        **{name: _read_place(getattr(citizen, name)) for name in places},
        **{name: _read_kin(getattr(citizen, name)) for name in kin},
        "relation_to_head": head and head.relationship and head.relationship.code,
    }


def _relation(relation: str, dialects: Mapping[str, Any]) -> str | None:
    prefix = {"letters": "CH", "digits": "", "absent": None}[dialects["relation_codes"]]
    return None if prefix is None else f"{prefix}{RELATIONS[relation]}"


def _place(address: Mapping[str, Any], dialects: Mapping[str, Any]) -> Plain:
    """Return an address: three codes or one, of today or of before July 2025."""
    before, old = address["before"], dialects["districts"] == "old_units"
    codes = {level: before[level] if old else address.get(level) for level in ("province", "district", "commune")}
    if dialects["units"] == "single":
        lowest = "commune" if codes["commune"] else "district"
        codes = {level: code if level == lowest else None for level, code in codes.items()}
    elif dialects["districts"] == "old":
        codes["district"] = before["district"]
    return {**codes, "detail": _upper(address["detail"]), "country": address["country"]}


def _read_place(address: Address | None) -> Plain | None:
    return (
        None
        if address is None
        else {
            name: unicodedata.normalize("NFC", text) if (text := getattr(address, name)) else None
            for name in ("province", "district", "commune", "detail", "country")
        }
    )


def _kin(kin: Mapping[str, Any] | None) -> Plain | None:
    return (
        None
        if kin is None
        else {
            "name": _upper(kin["name"]),
            "identity_number": kin["identity_number"],
            "old_card_number": kin["old_card_number"],
            "nationality": "VN",
        }
    )


def _read_kin(kin: Relative | None) -> Plain | None:
    return (
        None
        if kin is None
        else {
            "name": kin.name and kin.name.value,
            "identity_number": kin.identity_number and kin.identity_number.value,
            "old_card_number": kin.old_card_number and kin.old_card_number.value,
            "nationality": kin.nationality,
        }
    )


def _upper(text: str) -> str:
    return unicodedata.normalize("NFC", text.upper())
