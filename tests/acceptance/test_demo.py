from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.texts import Language, text
from lienthong.demo.play import CHAPTERS
from lienthong.stop import ExitCode
from tests.support.frontdoor import run

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 90


def test_the_demo_tells_every_story_and_ends_with_0(tmp_path: Path) -> None:
    """One command starts everything, plays every fault, balances the books and cleans up; its output is plain text."""
    done = run("demo", seconds=SECONDS, TMPDIR=str(tmp_path))
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    for chapter in CHAPTERS:
        assert f"s  {text(Language.EN, f'cli.demo.story.{chapter}')}\n" in done.stdout
    assert "They agree one by one." in done.stdout
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_answer_ends_the_demo_with_8(tmp_path: Path) -> None:
    """With one expectation turned around the judge sees it, tells which call it was, and keeps the logs."""
    arguments = ("demo", "--doubt", "--only", "clear", "--citizens", "300")
    done = run(*arguments, seconds=SECONDS, TMPDIR=str(tmp_path))
    assert done.returncode == ExitCode.WRONG_ANSWER, done.stdout + done.stderr
    assert done.stdout.count("an answer that is not the mocks' world.") == 1
    (kept,) = tmp_path.iterdir()
    assert str(kept) in done.stderr
    assert {path.name for path in kept.iterdir()} >= {"gateway.log", "mocks.log", "lienthong.toml"}
