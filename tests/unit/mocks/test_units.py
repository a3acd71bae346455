"""The committed tables of administrative units are complete, consistent and as generated."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tools import units

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

COMMUNES_OF = {
    "01": 126, "04": 56, "08": 124, "11": 45, "12": 38, "14": 75, "15": 99, "19": 92, "20": 65, "22": 54, "24": 99,
    "25": 148, "31": 114, "33": 104, "37": 129, "38": 166, "40": 130, "42": 69, "44": 78, "46": 40, "48": 94, "51": 96,
    "52": 135, "56": 65, "66": 102, "68": 124, "75": 95, "79": 168, "80": 96, "82": 102, "86": 124, "91": 102,
    "92": 103, "96": 64,
}  # fmt: skip


def table(name: str) -> dict[str, Any]:
    """Return one of the committed tables."""
    content: dict[str, Any] = json.loads((units.TARGET / name).read_text("utf-8"))
    return content


def test_files_are_as_generated() -> None:
    """Building the tables again gives, byte for byte, what is committed."""
    built = units.build(units.source())
    assert {path.name for path in units.TARGET.glob("*.json")} == set(built)
    for name, content in built.items():
        assert (units.TARGET / name).read_text("utf-8") == units.render(content), name


def test_check_says_which_file_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check fails and names the file when one differs, and passes once it is written."""
    monkeypatch.setattr(units, "TARGET", tmp_path)
    assert units.main([]) == 0
    assert units.main(["--check"]) == 0
    (tmp_path / "provinces.json").write_text("{}", "utf-8")
    assert units.main(["--check"]) == 1
    assert "provinces.json" in capsys.readouterr().err


def test_counts_agree_with_the_decision() -> None:
    """34 provinces and 3,321 communes, as many in each province and of each type as Decision 19/2025 has."""
    communes = table("communes.json")
    assert {province: len(names) for province, names in communes.items()} == COMMUNES_OF
    assert set(table("provinces.json")) == set(COMMUNES_OF)
    types = Counter(name.split()[0] for names in communes.values() for name in names.values())
    assert types == {"Xã": 2621, "Phường": 687, "Đặc": 13}


def test_every_old_unit_leads_to_one_of_today() -> None:
    """Every commune and province of before July 2025 points at units that exist, in the right province."""
    province_of = {code: province for province, names in table("communes.json").items() for code in names}
    provinces, districts = table("provinces_before_2025.json"), table("districts_before_2025.json")
    assert (len(provinces), len(districts), len(table("communes_before_2025.json"))) == (63, 696, 10_035)
    reached = {code for district in districts.values() for code in district[2:3] for code in code}
    for district, _, into in table("communes_before_2025.json").values():
        assert {province_of[code] for code in into} == {provinces[districts[district][0]]["now"]}
        reached.update(into)
    assert reached == set(province_of)


def test_prefix_and_address_tables_are_apart() -> None:
    """A prefix of an identity number keeps its meaning where the address code of the same digits changed its own."""
    prefixes, provinces = table("identity_prefixes.json"), table("provinces.json")
    assert len(prefixes) == 63
    assert all(len(prefix) == 3 and prefix.isdigit() for prefix in prefixes)
    assert "999" not in prefixes
    changed = {code for code in provinces if provinces[code]["short"] != prefixes[f"0{code}"]}
    assert changed - {"46"} == {"15", "24", "44", "52", "80", "82", "91"}
    assert (prefixes["052"], provinces["52"]["short"]) == ("Bình Định", "Gia Lai")
    assert prefixes["046"] == "Thừa Thiên Huế"
