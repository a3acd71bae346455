from __future__ import annotations

import tempfile
from pathlib import Path

from contracts.texts import Language, text
from lienthong.demo.play import CHAPTERS
from lienthong.stop import ExitCode
from tests.support.frontdoor import run

SECONDS = 90


def left_behind() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("lienthong-demo-*"))


def test_the_demo_tells_every_story_and_ends_with_0() -> None:
    """One command starts everything, plays every fault, balances the books and cleans up; its output is plain text."""
    before = left_behind()
    done = run("demo", seconds=SECONDS)
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    for chapter in CHAPTERS:
        assert f"s  {text(Language.EN, f'cli.demo.story.{chapter}')}\n" in done.stdout
    assert "They agree one by one." in done.stdout
    assert all(letter.isprintable() or letter == "\n" for letter in done.stdout)
    assert done.stderr == ""
    assert left_behind() <= before


def test_a_wrong_answer_ends_the_demo_with_8() -> None:
    """With one expectation turned around the judge sees it, tells which call it was, and keeps the logs."""
    before = left_behind()
    done = run("demo", "--doubt", "--only", "clear", "--citizens", "300", seconds=SECONDS)
    assert done.returncode == ExitCode.WRONG_ANSWER, done.stdout + done.stderr
    assert done.stdout.count("an answer that is not the mocks' world.") == 1
    (kept,) = [folder for folder in left_behind() - before if str(folder) in done.stderr]
    assert {path.name for path in kept.iterdir()} >= {"gateway.log", "mocks.log", "lienthong.toml"}
    for path in (*kept.glob("keys/*"), *kept.glob("*.*")):
        path.unlink()
    (kept / "keys").rmdir()
    kept.rmdir()
