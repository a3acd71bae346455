"""What the synthetic partner sends by itself: when, how often, in which order, and what a kill leaves of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mocks.callbacks import CallbackSettings
from mocks.doors.partner.settings import PartnerDoorSettings
from tests.support.partner import registration, signature
from tests.support.partner_door import Door, opened
from tests.support.receiver import Receiver, eventually, receiving

FEW = CallbackSettings(tries=3, pause_seconds=30, timeout_seconds=5)


async def left(receiver: Receiver) -> bool:
    return not receiver.open


async def test_a_registration_is_told_when_the_clock_says_so() -> None:
    """A frozen clock sends nothing; moved to the time, it sends once, signed, to the target."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        await door.clock(advance_seconds=4)
        await door.still()
        assert (receiver.taken, await door.states()) == ([], ["due"])
        await door.clock(advance_seconds=1)
        (taken,) = await receiver.wait_for(1)
        assert taken.target == "/inbound"
        assert taken.headers["content-type"] == "application/json"
        assert taken.headers["x-partner-signature"] == signature("thu_xa_mot", taken.body)
        assert taken.content | {"happened_at": 0} == {
            "event": "registered",
            "code": "H-1",
            "number": taken.content["number"],
            "state": "open",
            "reason": None,
            "sequence": 1,
            "happened_at": 0,
        }
        await eventually(door.states, ["sent"])
        await door.clock(advance_seconds=86_400)
        await door.still()
        assert len(receiver.taken) == 1


async def test_a_running_clock_sends_by_itself() -> None:
    """With a clock that runs fast nobody has to move it."""
    async with receiving() as receiver, opened() as door:
        await door.admin("PUT", "callbacks", {"partner": receiver.url})
        await door.clock(rate=1000)
        await door.partner.register("H-1")
        await receiver.wait_for(1)


async def test_without_a_target_it_stays_due() -> None:
    """What nobody wants yet waits, visibly, and is sent once a target is set; without it nothing more is."""
    async with receiving() as receiver, opened() as door:
        await door.clock(freeze=True)
        await door.partner.register("H-1")
        await door.clock(advance_seconds=100)
        await door.still()
        assert [(one["state"], one["tries"]) for one in await door.callbacks()] == [("due", 0)]
        await door.admin("PUT", "callbacks", {"partner": receiver.url})
        await receiver.wait_for(1)
        await eventually(door.states, ["sent"])
        await door.admin("PUT", "callbacks", {"partner": None})
        await door.partner.register("H-2")
        await door.clock(advance_seconds=100)
        await door.still()
        assert await door.states() == ["sent", "due"]


async def test_what_officers_do_is_told_in_order() -> None:
    """Each step of the partner's officers is told with an order number that rises by one for each record."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        for code in ("H-1", "H-2"):
            await door.partner.register(code)
            await door.clock(advance_seconds=5)
            for verb, fields in (("take_up", {}), ("return", {"reason": "thiếu giấy tờ"}), ("take_up", {})):
                await door.officer(code, verb, **fields)
                await door.clock(advance_seconds=1)
            await door.officer(code, "finish")
        await door.clock(advance_seconds=1)
        await receiver.wait_for(10)
        for code in ("H-1", "H-2"):
            told = [one.content for one in receiver.taken if one.content["code"] == code]
            assert [one["sequence"] for one in told] == [1, 2, 3, 4, 5]
            assert [one["state"] for one in told] == ["open", "processing", "returned", "processing", "done"]
            assert [one["reason"] for one in told] == [None, None, "thiếu giấy tờ", None, None]
        assert {one.content["event"] for one in receiver.taken} == {"registered", "progressed"}


async def test_what_the_caller_does_is_not_told() -> None:
    """Steps that the caller appends itself cause no callback."""
    async with opened() as door:
        await door.partner.register("H-1")
        await door.partner.append("H-1", 1)
        await door.partner.append("H-1", 2, "done")
        assert [one["name"] for one in await door.callbacks()] == ["registered"]


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_it_is_tried_again(status: int) -> None:
    """Whoever does not say 2xx gets it again after a pause; a redirect is not followed."""
    async with receiving() as receiver, opened(callbacks=FEW) as door:
        receiver.statuses = [status]
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        await door.clock(advance_seconds=5)
        await receiver.wait_for(1)
        await door.clock(advance_seconds=29)
        await door.still()
        assert [(one["state"], one["tries"]) for one in await door.callbacks()] == [("due", 1)]
        await door.clock(advance_seconds=1)
        first, second = await receiver.wait_for(2)
        assert first == second
        await eventually(door.states, ["sent"])
        assert [(one["tries"], one["status"]) for one in await door.callbacks()] == [(2, 200)]


async def test_it_is_given_up() -> None:
    """After the last try it has failed, and nothing more is sent."""
    async with receiving() as receiver, opened(callbacks=FEW) as door:
        receiver.statuses = [500] * 9
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        for tries in (1, 2, 3):
            await door.clock(advance_seconds=30)
            await receiver.wait_for(tries)
        await eventually(door.states, ["failed"])
        await door.clock(advance_seconds=86_400)
        await door.still()
        assert len(receiver.taken) == 3
        assert [(one["tries"], one["status"]) for one in await door.callbacks()] == [(3, 500)]


async def test_nobody_there_and_nobody_who_answers() -> None:
    """A refused connection and a silent receiver count as tries like any other."""
    impatient = CallbackSettings(tries=2, pause_seconds=30, timeout_seconds=0.2)
    async with receiving() as receiver, opened(callbacks=impatient) as door:
        receiver.statuses = [0]
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        await door.clock(advance_seconds=5)
        await receiver.wait_for(1)
        await eventually(lambda: left(receiver), wanted=True)
        await door.admin("PUT", "callbacks", {"partner": "http://127.0.0.1:9"})
        await door.clock(advance_seconds=60)
        await eventually(door.states, ["failed"])
        assert [one["status"] for one in await door.callbacks()] == [None]


async def test_one_that_nobody_takes_does_not_hold_up_the_next() -> None:
    """A callback that is tried again later is overtaken, and its order number shows it."""
    async with receiving() as receiver, opened(callbacks=FEW) as door:
        receiver.statuses = [500]
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        await door.clock(advance_seconds=5)
        await receiver.wait_for(1)
        await door.officer("H-1", "take_up")
        await door.clock(advance_seconds=1)
        await receiver.wait_for(2)
        await door.clock(advance_seconds=30)
        await receiver.wait_for(3)
        assert receiver.sequences("H-1") == [1, 2, 1]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"partner": "http://127.0.0.1:8000/x"}, 200),
        ({"partner": "http://[::1]:8000"}, 200),
        ({"partner": "https://localhost"}, 200),
        ({"partner": None}, 200),
        ({}, 200),
        ({"partner": "http://192.0.2.1:8000/"}, 422),
        ({"partner": "http://partner.example/"}, 422),
        ({"partner": "http://127.0.0.1.example/"}, 422),
        ({"partner": "http://user:secret@127.0.0.1/"}, 422),
        ({"partner": "ftp://127.0.0.1/"}, 422),
        ({"partner": "127.0.0.1:8000"}, 422),
        ({"partner": "http://127.0.0.1:99999/"}, 422),
        ({"partner": "http://127.0.0.1/\n"}, 422),
        ({"partner": ""}, 422),
        ({"partner": 8000}, 422),
        ({"population": "http://127.0.0.1:8000/"}, 422),
        ({"nowhere": "http://127.0.0.1:8000/"}, 422),
        ([], 422),
    ],
)
async def test_targets(given: Any, status: int) -> None:
    """A target is a URL on this machine, for a door that sends; anything else is refused and changes nothing."""
    async with opened(log_in=False) as door:
        answer = await door.client.put("http://mocks.example/__mock__/callbacks", json=given)
        assert answer.status_code == status, answer.text
        targets = (await door.admin("GET", "callbacks"))["targets"]
        assert targets == (given if status == 200 else {})


async def test_targets_anywhere() -> None:
    """Mocks that were told so send beyond this machine."""
    async with opened(log_in=False, callbacks=CallbackSettings(anywhere=True)) as door:
        await door.admin("PUT", "callbacks", {"partner": "http://receiver.example/"})


async def test_callbacks_are_listed_by_what_is_asked() -> None:
    """Callbacks are found by door, key and state, page by page."""
    async with opened() as door:
        for code in ("H-1", "H-2", "H-3"):
            await door.partner.register(code)
        assert len((await door.admin("GET", "callbacks?limit=2"))["callbacks"]) == 2
        found = await door.admin("GET", "callbacks?key=H-2&state=due&door=partner")
        assert (found["total"], found["callbacks"][0]["id"]) == (1, "partner/registered/H-2/1")
        assert (await door.admin("GET", "callbacks?state=sent"))["total"] == 0


async def test_a_reset_owes_nothing() -> None:
    """After a reset nothing of before is sent, and what is planned under the same names is held and sent anew."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        await door.admin("POST", "reset")
        await door.frozen(receiver.url)
        await door.clock(advance_seconds=100)
        await door.still()
        assert receiver.taken == []
        await door.partner.log_in()
        await door.fault("callback_out_of_order")
        await door.partner.register("H-1")
        await door.officer("H-1", "take_up")
        await door.clock(advance_seconds=5)
        await receiver.wait_for(2)
        assert receiver.sequences("H-1") == [2, 1]


async def test_namespaces_send_for_themselves() -> None:
    """Each namespace has its own targets, its own clock and its own callbacks; a removed one sends nothing."""
    async with receiving() as one, receiving() as other, opened(log_in=False) as door:
        for name, receiver in (("mot", one), ("hai", other), ("ba", other)):
            await door.admin("PUT", "callbacks", {"partner": receiver.url}, namespace=name)
            await door.admin("POST", "clock", {"freeze": True}, namespace=name)
            caller = door.caller(namespace=name)
            await caller.log_in()
            await caller.register(f"H-{name}")
        await door.admin("DELETE", "namespaces?name=ba")
        for name in ("mot", "hai", "ba"):
            await door.admin("POST", "clock", {"advance_seconds": 5}, namespace=name)
        await one.wait_for(1)
        await other.wait_for(1)
        await door.still()
        assert [taken.content["code"] for taken in (*one.taken, *other.taken)] == ["H-mot", "H-hai"]


async def test_many_at_once_each_in_its_order() -> None:
    """Callbacks about many records overlap; about one record they keep their order."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        codes = [f"H-{number}" for number in range(25)]
        for code in codes:
            await door.partner.register(code)
            await door.officer(code, "take_up")
            await door.officer(code, "finish")
        await door.clock(advance_seconds=1)
        await receiver.wait_for(50)
        await door.clock(advance_seconds=4)
        await receiver.wait_for(75)
        assert all(receiver.sequences(code) == [2, 3, 1] for code in codes)


async def test_a_stopped_mock_sends_nothing() -> None:
    """Once the mocks are told to stop, nothing leaves any more, whatever becomes due."""
    async with receiving() as receiver, opened() as door:
        await door.frozen(receiver.url)
        await door.partner.register("H-1")
        door.app.stop()
        await door.clock(advance_seconds=100)
        await door.still()
        assert receiver.taken == []


def test_the_end_of_the_loop_ends_the_sending() -> None:
    """A program that ends its event loop with callbacks under way ends quietly; the next loop goes on."""

    async def begin() -> Door:
        async with receiving() as receiver:
            receiver.statuses = [0]
            async with opened() as door:
                door.app.close = lambda: None  # type: ignore[method-assign]
                await door.frozen(receiver.url)
                await door.partner.register("H-1")
                await door.clock(advance_seconds=5)
                await receiver.wait_for(1)
                return door

    door = asyncio.run(begin())

    async def go_on() -> None:
        async with receiving() as receiver:
            door.app.start()
            assert door.app.default.state.written("callback")[0].state == "due"
            space = door.app.default
            await door.app.happen(space, {"calls": receiver.url, "door": "partner"})
            space.clock.pace = space.clock.advanced(30)
            await receiver.wait_for(1)
            door.app.stop()

    asyncio.run(go_on())


async def test_how_long_until_it_is_told_can_be_set() -> None:
    """The partner's settings say how long after the event a callback is due."""
    settings = PartnerDoorSettings(registered_after_seconds=100, progressed_after_seconds=50)
    async with opened(partner=settings) as door:
        await door.clock(freeze=True)
        now = door.app.default.clock.seconds()
        await door.partner.send("POST", "/records", registration("H-1"), key="k")
        await door.officer("H-1", "take_up")
        assert [one["due"] - now for one in await door.callbacks()] == [100, 50]
