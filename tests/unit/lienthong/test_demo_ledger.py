from __future__ import annotations

from typing import Any

from lienthong.demo.ledger import entries


def exchange(operation: str, key: str, door: str = "portal", **more: Any) -> dict[str, Any]:
    return {"door": door, "operation": operation, "key": key, "request_id": None, "acted": True, **more}


def test_exchanges_without_an_id_are_told_by_dossier_and_turn() -> None:
    """A repetition and another order have other names; a step's key is its dossier's; log-ins are counted."""
    found = entries(
        [
            exchange("login", "dvc_h99"),
            exchange("create", "H99.5-1"),
            exchange("create", "H99.5-2", acted=False),
            exchange("progress", "H99.5-1:20260302090500-4"),
            exchange("progress", "H99.5-1:20260302090500-4"),
            exchange("login", "dvc_h99"),
        ]
    )
    assert [one.name for one in found] == [
        "login 1 login",
        "H99.5-1 1 create",
        "H99.5-2 1 create",
        "H99.5-1 2 progress",
        "H99.5-1 3 progress",
        "login 2 login",
    ]
    assert [one.acted for one in found] == [True, True, False, True, True, True]


def test_exchanges_with_an_id_are_told_by_it() -> None:
    """The population database's requests carry their own."""
    (one,) = entries([exchange("verify", "4e53", door="population", request_id="r-1")])
    assert one.name == "r-1"
