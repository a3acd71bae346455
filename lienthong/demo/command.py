"""`lienthong demo`: build the stage, play, show, and end with 0 or with what is wrong."""

import asyncio
import json
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from lienthong.demo import ledger, show
from lienthong.demo.mocks import Mocks
from lienthong.demo.people import Register
from lienthong.demo.play import CHAPTERS, Play
from lienthong.demo.portal import dossiers
from lienthong.demo.portal import show as portal_show
from lienthong.demo.portal.play import CHAPTERS as PORTAL_CHAPTERS
from lienthong.demo.portal.play import PortalPlay
from lienthong.demo.portal.stories import DOSSIERS
from lienthong.demo.signins import show as sign_in_show
from lienthong.demo.signins.play import CHAPTERS as SIGN_IN_CHAPTERS
from lienthong.demo.signins.play import SignInPlay
from lienthong.demo.stage import Stage, built
from lienthong.processes import NotReady
from lienthong.stop import ExitCode, Stop
from lienthong.voice import Voice

STORIES = (*CHAPTERS, *PORTAL_CHAPTERS, *SIGN_IN_CHAPTERS)
"""Everything that can be played, in order."""


def demo(  # noqa: PLR0917 - every one is an option of the command line
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="demo.keep")] = False,  # noqa: FBT002 - a flag
    citizens: Annotated[
        int, typer.Option("--citizens", metavar="N", min=300, max=1_000_000, help="demo.citizens")
    ] = 2000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="mocks.seed")] = 1,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="STORY", help="demo.only")] = None,
    doubt: Annotated[bool, typer.Option("--doubt", hidden=True)] = False,  # noqa: FBT002 - a flag
) -> int:
    """Play the stories, and return the exit code."""
    unknown = next((name for name in only or () if name not in STORIES), None)
    if unknown is not None:
        raise Stop(ExitCode.USAGE, "unknown_story", name=unknown, known=", ".join(STORIES))
    names = tuple(only or STORIES)
    return asyncio.run(_demo(Voice.of(context), names, keep=keep, citizens=citizens, seed=seed, doubt=doubt))


async def _demo(voice: Voice, names: Sequence[str], *, keep: bool, citizens: int, seed: int, doubt: bool) -> int:
    started = time.monotonic()
    voice.out.print(voice.say("demo.starting"))
    folder = Path(tempfile.mkdtemp(prefix="lienthong-demo-"))
    wrong = False
    try:
        async with built(folder, seed=seed, citizens=citizens) as stage:
            mocks = Mocks(stage.http, stage.admin)
            people = await mocks.people()
            register, cases = Register(people, seed), dossiers.made(people, DOSSIERS, seed)
            voice.out.print(voice.say("demo.ready", citizens=len(register)))
            with show.Bar(voice, len(names)) as bar:
                chapters = await Play(stage, mocks, register, voice.language, bar, doubt=doubt).run(names)
                portal = await PortalPlay(stage, mocks, cases, voice.language, bar, doubt=doubt).run(names)
                signins = await SignInPlay(stage, mocks, people, voice.language, bar, doubt=doubt).run(names)
            balance = await ledger.balance(stage, mocks)
            wrong = not balance.agrees or any(chapter.wrong for chapter in chapters)
            if chapters:
                voice.out.print()
                voice.out.print(show.table(chapters, voice))
            if portal is not None:
                wrong = wrong or not portal.holds
                portal_show.tell(portal, voice)
            if signins is not None:
                wrong = wrong or not signins.holds
                sign_in_show.tell(signins, voice)
            show.summary(chapters, balance, time.monotonic() - started, voice, portal, signins)
            if keep:
                await _kept(stage, register, voice)
    except NotReady as error:
        wrong = True
        raise Stop(ExitCode.NOT_STARTED, "not_started", name=error.name, folder=str(folder), tail=error.tail) from None
    finally:
        if not wrong:
            shutil.rmtree(folder)
    if wrong:
        voice.remark("demo.logs", folder=str(folder))
    return ExitCode.WRONG_ANSWER if wrong else ExitCode.DONE


async def _kept(stage: Stage, register: Register, voice: Voice) -> None:
    """Say where everything is and how to ask, and wait to be told to stop."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    body = json.dumps({"citizen": register.right("verify").citizen, "purpose": stage.purpose()}, ensure_ascii=False)
    curl = (
        f"curl -s {stage.gateway}/v1/citizens/verify \\\n  -H 'Authorization: Bearer {stage.key}' \\\n"
        f"  -H 'Content-Type: application/json' -H 'Accept-Language: {voice.language}' \\\n  -d {shlex.quote(body)}"
    )
    voice.out.print()
    for name, value in (("gateway", stage.gateway), ("admin", stage.admin), ("config", str(stage.config))):
        voice.out.print(voice.say(f"demo.kept.{name}", value=value), soft_wrap=True)
    voice.out.print(voice.say("demo.kept.ask"))
    voice.out.print(curl, soft_wrap=True)
    voice.out.print(voice.say("demo.kept.until"))
    await told.wait()
