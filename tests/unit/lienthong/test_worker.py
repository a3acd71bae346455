from __future__ import annotations

from typing import TYPE_CHECKING

from lienthong.stop import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., tuple[int, str, str]]


def test_no_worker_runs_beside_a_sqlite_store(command: Command, configured: Path) -> None:
    """It ends with 2 and says what to do; the store is not even made."""
    code, out, err = command("worker")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "no worker can run beside that" in err
    assert [path.name for path in configured.parent.iterdir()] == [configured.name]


def test_a_sqlite_store_needs_its_server_to_carry_out(command: Command, configured: Path) -> None:
    """Nobody else could: the configuration is refused, and told where it would be right."""
    configured.write_text(configured.read_text("utf-8") + "\n[worker]\nin_server = false\n", encoding="utf-8")
    code, _, err = command("config", "check")
    assert (code, "worker.in_server may be false on PostgreSQL only" in err) == (ExitCode.USAGE, True)
