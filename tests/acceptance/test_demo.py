from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.texts import Language, text
from lienthong.demo.command import STORIES
from lienthong.stop import ExitCode
from tests.support.frontdoor import run

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 240


def said(page: str) -> str:
    """Return what stands there, wherever lines end."""
    return " ".join(page.split())


def test_the_demo_tells_its_stories_and_ends_with_0(tmp_path: Path) -> None:
    """One command starts everything, plays faults, balances the books and cleans up; its output is plain text.

    A story of each kind: all of them are played by `make demo`, which the same judges end.
    """
    chosen = ("clear", "portal_lost_progress", "portal_refused", "signins_forged", "signins_stolen")
    only = [word for chapter in chosen for word in ("--only", chapter)]
    done = run("demo", *only, "--citizens", "300", seconds=SECONDS, TMPDIR=str(tmp_path))
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    told = {one for one in STORIES if f"s  {text(Language.EN, f'cli.demo.story.{one}')}\n" in done.stdout}
    assert told == set(chosen)
    assert "They agree one by one." in done.stdout
    assert "40 dossiers, 40 at the portal, 0 twice, 0 lost; 120 progress steps, each exactly once" in said(done.stdout)
    assert "9 visits of citizens, 4 got in, each as who they proved to be; 5 did not, and each" in said(done.stdout)
    assert "12 times a stranger tried, 0 got in." in said(done.stdout)
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_ends_the_demo_with_8(tmp_path: Path) -> None:
    """With an expectation turned around each judge sees it, tells which call or dossier it was, and keeps the logs."""
    chosen = [word for chapter in ("clear", "portal_session", "signins_clear") for word in ("--only", chapter)]
    arguments = ("demo", "--doubt", *chosen, "--citizens", "300")
    done = run(*arguments, seconds=SECONDS, TMPDIR=str(tmp_path))
    assert done.returncode == ExitCode.WRONG_ANSWER, done.stdout + done.stderr
    assert done.stdout.count("an answer that is not the mocks' world.") == 1
    assert done.stdout.count("dossiers that are not at the portal: 1 (") == 1
    assert "1 got in WRONGLY." in said(done.stdout)
    assert "Not everything is right: 3 wrong." in done.stdout
    (kept,) = tmp_path.iterdir()
    assert str(kept) in done.stderr
    assert {path.name for path in kept.iterdir()} >= {"gateway.log", "mocks.log", "lienthong.toml"}
