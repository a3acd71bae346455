from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from contracts.model import AgencyCode, ProcedureCode, Purpose
from gateway.delivery import Accepted, Submission
from gateway.runtime import Gateway
from gateway.settings import Settings
from gateway.store import open_store
from lienthong.stop import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.store.engine import Transaction

    Command = Callable[..., tuple[int, str, str]]

AGENCY, OTHER = "000.00.01.H99", "000.00.02.H99"
WHY = ("--why", "Đã đối chiếu")
PARTNER = """
[systems.partner.adapter]
endpoint = "http://127.0.0.1:9/partner"
account = { username = "mot_cua", secret = "made up" }
"""


async def _in_trouble(tx: Transaction) -> None:
    """Let the first delivery be one of which nobody knows, and hold the other agency."""
    await tx.execute("UPDATE delivery SET state = 'needs_person', why = 'may_have_acted', may_have_acted = 'maybe'")
    await tx.execute("UPDATE delivery SET state = 'accepted', why = NULL, may_have_acted = 'no' WHERE number > 1")
    await tx.execute("UPDATE lane SET parked = 'needs_person', ready_at = NULL WHERE id = 1")
    await tx.execute("INSERT INTO hold VALUES ('partner', $1, 1, 'old', 2, NULL)", OTHER)


@pytest.fixture
def ids(configured: Path) -> list[str]:
    """Make a store with a delivery that needs a person and one of another agency that waits; return their ids."""
    configured.write_text(configured.read_text("utf-8") + PARTNER, encoding="utf-8")
    settings = Settings.read(configured)

    async def make() -> list[str]:
        store = await open_store(settings.store, serving=False)
        try:
            async with Gateway.beside(settings, store) as gateway:
                assert gateway.partner is not None
                made = []
                for number, agency in enumerate((AGENCY, OTHER), 1):
                    submission = Submission(
                        client="motcua",
                        method="POST",
                        resource="/v1/partner/records",
                        key=f"viec-{number}",
                        body=b"{}",
                        operation=gateway.partner.adapter.operations.notify,
                        lane=f"H-{number}",
                        payload=b"{}",
                        purpose=Purpose(
                            agency=AgencyCode(agency),
                            procedure=ProcedureCode("1.000001"),
                            officer="canbo.thu01",
                            dossier=None,
                        ),
                    )
                    accepted = await gateway.deliveries.accept(submission)
                    assert isinstance(accepted, Accepted)
                    made.append(accepted.delivery.id)
            await store.engine.write(_in_trouble)
        finally:
            await store.close()
        return made

    return asyncio.run(make())


def _shown(command: Command, delivery: str) -> dict[str, object]:
    code, out, _ = command("deliveries", "show", delivery, "--json")
    assert code == ExitCode.DONE
    found: dict[str, object] = json.loads(out)
    return found


def test_what_needs_a_person_is_listed(command: Command, ids: list[str]) -> None:
    """By state, system and agency; with a sentence that says what happened."""
    code, out, _ = command("deliveries", "list", "--state", "needs_person", "--json")
    assert (code, [one["id"] for one in json.loads(out)]) == (ExitCode.DONE, ids[:1])
    _, out, _ = command("deliveries", "list", "--json")
    assert [one["id"] for one in json.loads(out)] == ids[::-1]
    _, out, _ = command("deliveries", "list", "--agency", OTHER, "--system", "partner", "--limit", "9", "--json")
    assert [one["id"] for one in json.loads(out)] == ids[1:]
    _, table, _ = command("deliveries", "list")
    assert "may have acted" in " ".join(table.split())


def test_one_is_shown_with_what_to_do(command: Command, ids: list[str]) -> None:
    """What happened, what to do, whose it is."""
    code, out, _ = command("deliveries", "show", ids[0])
    assert code == ExitCode.DONE
    for part in (ids[0], "needs_person", "never send it again unseen", AGENCY, "canbo.thu01"):
        assert part in out
    code, _, err = command("deliveries", "show", "0")
    assert (code, "There is no such delivery." in err) == (ExitCode.NOT_POSSIBLE, True)


def test_it_is_resolved_with_evidence(command: Command, ids: list[str]) -> None:
    """What was found out is kept with who said so; taking it back instead is refused, and so is no evidence."""
    code, _, err = command("deliveries", "cancel", ids[0], *WHY)
    assert (code, "may have acted" in err) == (ExitCode.NOT_POSSIBLE, True)
    found_out = ("deliveries", "resolve", ids[0], "--outcome", "done", *WHY, "--evidence")
    code, _, err = command(*found_out, " ")
    assert (code, "needs evidence" in err) == (ExitCode.USAGE, True)
    code, out, _ = command(*found_out, "Biên bản số 1")
    assert (code, "settled" in out) == (ExitCode.DONE, True)
    (ruling,) = _shown(command, ids[0])["decided"]  # type: ignore[misc] - JSON
    assert (ruling["what"], ruling["why"], ruling["evidence"]) == ("resolve.done", WHY[1], "Biên bản số 1")
    assert ruling["by"].startswith("cli:")
    _, out, _ = command("deliveries", "show", ids[0])
    assert "Biên bản số 1" in out


def test_what_waits_is_taken_back(command: Command, ids: list[str]) -> None:
    """Then it has come to its end, and is not set going again."""
    assert command("deliveries", "cancel", ids[1], *WHY)[0] == ExitCode.DONE
    assert _shown(command, ids[1])["state"] == "cancelled"
    code, _, err = command("deliveries", "replay", ids[1], *WHY)
    assert (code, "has come to its end" in err) == (ExitCode.NOT_POSSIBLE, True)


def test_what_cannot_be_sent_here_is_told(command: Command, configured: Path, ids: list[str]) -> None:
    """Setting it going needs the system's configuration; the rest does not."""
    code, _, err = command("deliveries", "replay", ids[0], *WHY)
    assert (code, "may have acted" in err) == (ExitCode.NOT_POSSIBLE, True)
    configured.write_text(configured.read_text("utf-8").replace(PARTNER, ""), encoding="utf-8")
    code, _, err = command("deliveries", "replay", ids[0], *WHY)
    assert (code, "partner is not in this configuration" in err) == (ExitCode.NOT_POSSIBLE, True)


def test_a_held_agency_is_released_once(command: Command, ids: list[str]) -> None:
    """And whoever releases one that was not held is told so; a misspelt system is refused."""
    assert len(ids) == 2
    said = [command("deliveries", "release", "partner", OTHER, *WHY) for _ in range(2)]
    assert [code for code, _, _ in said] == [ExitCode.DONE] * 2
    assert "go on" in said[0][2]
    assert "were not held" in said[1][2]
    assert command("deliveries", "release", "partnr", OTHER, *WHY)[0] == ExitCode.USAGE
