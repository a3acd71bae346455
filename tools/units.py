#!/usr/bin/env python3
"""Write `contracts/units/*.json` from the MIT-licensed package `vietnamadminunits`.

`python tools/units.py` writes, `python tools/units.py --check` only says whether the committed files are what would be
written. Two province tables come out and are never mixed: address codes (34, since 1 July 2025) and the prefixes of
identity numbers (63, Circular 07/2016/TT-BCA). What the files mean stands in `contracts/units/README.md`.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import unicodedata
from collections import defaultdict
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str"

TARGET = Path(__file__).resolve().parent.parent / "contracts" / "units"

CIRCULAR_NAMES = {"046": "Thừa Thiên Huế"}
"""Where the circular's name of 2016 is not the one the package gives for the units of June 2025."""


def source() -> Path:
    """Return the data folder of the package, without importing it: the import would load a geometry library."""
    spec = find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        raise SystemExit("vietnamadminunits is not installed; it is one of the development dependencies")
    return Path(spec.origin).parent / "data"


def build(data: Path) -> dict[str, dict[str, JSON]]:
    """Return the content of every file by its name. Raises `KeyError` when the package's own tables disagree."""
    with closing(sqlite3.connect(f"file:{data / 'dataset.db'}?mode=ro", uri=True)) as base:
        base.row_factory = sqlite3.Row
        new = base.execute("SELECT * FROM admin_units ORDER BY provinceCode, wardCode").fetchall()
        old = base.execute("SELECT * FROM admin_units_legacy ORDER BY provinceCode, districtCode, wardCode").fetchall()
    merged_into = _merged_into(json.loads((data / "converter_2025.json").read_text("utf-8")), new, old)

    provinces: dict[str, JSON] = {}
    communes: dict[str, dict[str, JSON]] = defaultdict(dict)
    for row in new:
        provinces[row["provinceCode"]] = {"name": _tidy(row["province"]), "short": _tidy(row["provinceShort"])}
        communes[row["provinceCode"]][row["wardCode"]] = _tidy(row["ward"])
    province_of = {code: province for province, names in communes.items() for code in names}

    prefixes: dict[str, JSON] = {}
    old_provinces: dict[str, JSON] = {}
    old_districts: dict[str, JSON] = {}
    old_communes: dict[str, JSON] = {}
    for row in old:
        prefix = "0" + row["provinceCode"]
        prefixes[prefix] = CIRCULAR_NAMES.get(prefix, _tidy(row["provinceShort"]))
        now: list[JSON] = [*merged_into[_old_key(row)]]
        into = province_of[str(now[0])]
        old_provinces[row["provinceCode"]] = {"name": _tidy(row["province"]), "now": into}
        district: list[JSON] = [row["provinceCode"], _tidy(row["district"])]
        if row["wardCode"] is None:
            old_districts[row["districtCode"]] = [*district, now]
        else:
            old_districts[row["districtCode"]] = district
            old_communes[row["wardCode"]] = [row["districtCode"], _tidy(row["ward"]), now]
    return {
        "provinces.json": provinces,
        "communes.json": {**communes},
        "identity_prefixes.json": prefixes,
        "provinces_before_2025.json": old_provinces,
        "districts_before_2025.json": old_districts,
        "communes_before_2025.json": old_communes,
    }


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _old_key(row: sqlite3.Row) -> str:
    return f"{row['provinceKey']}_{row['districtKey']}_{row['wardKey'] or ''}"


def _merged_into(
    converter: dict[str, dict[str, dict[str, list[object]]]], new: list[sqlite3.Row], old: list[sqlite3.Row]
) -> dict[str, list[str]]:
    """Return old unit key → codes of the communes it became part of, the package's default first."""
    code = {(row["provinceKey"], row["wardKey"]): str(row["wardCode"]) for row in new}
    into: dict[str, list[str]] = {_old_key(row): [] for row in old}
    for province, units in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, keys in units.items():
            for key in keys:
                into[str(key)].append(code[province, commune])
    for province, divided in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for key, parts in divided.items():
            parted = sorted(
                (not part["isDefaultNewWard"], code[province, part["newWardKey"]])
                for part in parts
                if isinstance(part, dict)
            )
            into[key].extend(commune for _, commune in parted)
    return {key: list(dict.fromkeys(codes)) for key, codes in into.items()}


def render(content: dict[str, JSON]) -> str:
    """Return `content` as JSON with one entry a line: small, and a change shows as the lines it touches."""
    lines = (
        f"{json.dumps(key)}:{json.dumps(content[key], ensure_ascii=False, separators=(',', ':'))}"
        for key in sorted(content)
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` compare them: 0 when all is as it would be written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file would change")
    check = parser.parse_args(arguments).check
    stale = []
    for name, content in build(source()).items():
        path, text = TARGET / name, render(content)
        if check and (not path.exists() or path.read_text("utf-8") != text):
            stale.append(name)
        if not check:
            path.write_text(text, "utf-8")
    if stale:
        sys.stderr.write(f"not as generated: {', '.join(stale)}; run python tools/units.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
