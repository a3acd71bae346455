from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from contracts.model import AgencyCode
from gateway.signins import steps
from gateway.signins.policy import Outcome, Refusal, Shown, State
from gateway.store.tables import instant, signins
from tests.support.signins import ACCOUNT, VENDOR, new_row, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.store.assembly import Assembly
    from tests.support.stores import Place

HOUR = 3_600_000_000
PROCESSES = 2
MANY = 40


def processes(place: Place, sign_ins: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start processes that want the same."""
    command = [sys.executable, "-m", "tests.support.sign_in_process", json.dumps(place.given()), *sign_ins]
    for _ in range(PROCESSES):
        yield subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours


async def test_two_processes_at_once_use_up_each_callback_once(place: Place) -> None:
    """Whatever two processes do at the same moment, one of them exchanges and the other does not."""
    async with place.opened() as store:
        sign_ins = [await started(store, HOUR) for _ in range(MANY)]
    racing = list(processes(place, sign_ins))
    lines = [one.stdout for one in racing if one.stdout is not None]
    assert [line.readline() for line in lines] == ["ready\n"] * PROCESSES
    for one in racing:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    won: list[str] = [sign_in for line in lines for sign_in in json.loads(line.readline())]
    for one in racing:
        one.communicate(timeout=30)
    assert sorted(won) == sorted(sign_ins)


async def test_every_step_succeeds_from_the_state_before_it_alone(place: Place) -> None:
    """Binding, using up, keeping and failing each happen once, and not after their time."""
    async with place.opened() as store:
        write = store.engine.write
        sign_in = await started(store, HOUR)
        assert not await write(partial(signins.start, sign_in, b"d", b"other", b"p", HOUR))
        assert not await write(partial(signins.keep, sign_in, b"who", b"t", "s", HOUR, HOUR))
        assert await write(partial(signins.consume, sign_in, HOUR))
        assert not await write(partial(signins.fail, sign_in, State.STARTED, "denied", None, None))
        assert await write(partial(signins.keep, sign_in, b"who", b"t", "s", HOUR, HOUR))
        assert not await write(partial(signins.keep, sign_in, b"another", b"t", "s", HOUR, HOUR))
        late = await started(store, HOUR)
        await write(partial(instant.move, HOUR + 1))
        assert not await write(partial(signins.consume, late, HOUR))


async def test_what_waits_for_a_browser_is_forgotten_when_it_is_back(place: Place) -> None:
    """Verifier and nonce, sealed or not: not kept for longer than they can be used, whichever way it ends."""

    async def waits(store: Assembly, sign_in: str) -> bytes | None:
        row = await store.engine.read(partial(signins.get, sign_in))
        assert row is not None
        return row.pending

    async with place.opened() as store:
        back, denied, gone = [await started(store, HOUR) for _ in range(3)]
        assert [await waits(store, one) for one in (back, denied, gone)] == [b"p"] * 3
        await store.engine.write(partial(signins.consume, back, HOUR))
        await store.engine.write(partial(signins.fail, denied, State.STARTED, "denied", None, None))
        assert [await waits(store, one) for one in (back, denied)] == [None] * 2
        await store.engine.write(partial(instant.move, HOUR + 1))
        await store.engine.write(partial(steps.sweep, "vneid", 10))
        assert await waits(store, gone) is None


async def test_a_person_is_handed_over_until_the_time_is_over_and_then_forgotten(place: Place) -> None:
    """The same person until the same moment; then refused; then swept, with the tokens when theirs is over too."""

    def right(_: Any) -> Shown:
        return Shown(client=True, code=True, session=True)

    def outcome(_: Any) -> Outcome:
        return Outcome.CLAIMED

    async with place.opened() as store:
        write, sign_in = store.engine.write, await started(store, HOUR)
        await write(partial(signins.consume, sign_in, HOUR))
        await write(partial(signins.keep, sign_in, b"who", b"t", "s", HOUR, 3 * HOUR))
        first = await write(partial(steps.claimed, sign_in, right, outcome, HOUR, "call-1", "vneid"))
        again = await write(partial(steps.claimed, sign_in, right, outcome, HOUR, "call-2", "vneid"))
        assert not isinstance(first, Refusal)
        assert not isinstance(again, Refusal)
        assert (first.until, first.first, again.until, again.first) == (again.until, Outcome.CLAIMED, first.until, None)
        await write(partial(instant.move, HOUR + 1))
        late = await write(partial(steps.claimed, sign_in, right, outcome, HOUR, "call-3", "vneid"))
        assert late is Refusal.OVER
        assert await write(partial(steps.sweep, "vneid", 100)) == [None]
        row = await store.engine.read(partial(signins.get, sign_in))
        assert row is not None
        assert (row.state, row.person, row.tokens, row.outcome) == ("over", None, b"t", "claimed")
        assert await write(signins.forget_tokens) == 0
        await write(partial(instant.move, 2 * HOUR))
        assert await write(signins.forget_tokens) == 1
        assert await write(partial(signins.delete, HOUR, 10)) == 1


async def test_a_second_log_out_does_not_bring_the_token_back(place: Place) -> None:
    """One that took too long, and ends after another was shown its form: the form stays the only one."""
    async with place.opened() as store:
        write, sign_in = store.engine.write, await started(store, HOUR)
        await write(partial(signins.consume, sign_in, HOUR))
        await write(partial(signins.keep, sign_in, b"who", b"t", "s", HOUR, 3 * HOUR))
        row = await store.engine.read(partial(signins.get, sign_in))
        assert row is not None
        slow = await write(partial(signins.take_leave, sign_in, HOUR))
        assert slow is not None
        assert await write(partial(signins.take_leave, sign_in, HOUR)) is None
        await write(partial(instant.move, HOUR + 1))
        taken = await write(partial(signins.take_leave, sign_in, HOUR))
        assert taken is not None
        for number, (until, left) in enumerate(((taken, True), (slow, False), (taken, False))):
            await write(partial(steps.logged_out, row, b"hint", f"{VENDOR}?{number}", HOUR, until, "vneid"))
            assert await write(partial(signins.left, sign_in)) is left
        found = await store.engine.read(partial(signins.get, sign_in))
        assert found is not None
        assert (found.state, found.tokens, found.leave_to) == ("over", None, f"{VENDOR}?0")


async def test_many_that_were_abandoned_are_each_told_of_once(place: Place) -> None:
    """Two sweeps at once end every sign-in once, with its line in the audit."""
    async with place.opened() as store:
        for _ in range(MANY):
            await store.engine.write(partial(signins.insert, new_row(), HOUR))
        await store.engine.write(partial(instant.move, HOUR + 1))
        ended = [await store.engine.write(partial(steps.sweep, "vneid", MANY // 2)) for _ in range(4)]
        assert [len(one) for one in ended] == [MANY // 2, MANY // 2, 0, 0]
        told = await store.audit.recent(limit=100, agencies=[AgencyCode(ACCOUNT.agency)])
        assert [entry.reason for entry in told] == ["never_opened"] * MANY
