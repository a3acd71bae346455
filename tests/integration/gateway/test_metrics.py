from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from gateway.delivery import queues
from gateway.resilience import StoreUnavailable
from tests.support.desk import desk

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.mocks import Mocks


def _samples(text: str) -> dict[tuple[str, ...], float]:
    """Return what is shown of deliveries, by name and the labels' values."""
    return {
        (sample.name.removeprefix("lienthong_"), *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_tell_of_deliveries(tmp_path: Path, mocks: Mocks, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was accepted, tried and settled in this process; and how the queue stands, but not when nobody knows."""
    monkeypatch.setattr(queues, "KEPT_SECONDS", 0.0)
    async with desk(tmp_path, mocks) as one:
        await one.register()
        await one.pause()
        await one.register("H-2", wait=None)
        shown = _samples((await one.client.get("/metrics")).text)

        async def read(work: object) -> None:
            raise StoreUnavailable(str(work))

        with monkeypatch.context() as broken:
            broken.setattr(one.gateway.store.engine, "read", read)
            text = (await one.client.get("/metrics")).text
        lost = _samples(text)
    assert shown["deliveries_accepted_total", "register", "partner"] == 2
    assert shown["delivery_attempts_total", "answered", "register", "send", "partner"] == 1
    assert shown["delivery_seconds_count", "register", "settled", "partner"] == 1
    assert shown["deliveries_open", "going", "partner"] == 1
    assert shown["deliveries_open", "needs_person", "partner"] == 0
    assert 0 < shown["delivery_oldest_seconds", "partner"] < 60
    assert shown["lanes_parked", "partner"] == shown["agencies_held", "partner"] == 0
    assert shown["workers_silent_seconds", "partner"] < 60
    assert lost["deliveries_accepted_total", "register", "partner"] == 2
    assert not [key for key in lost if key[0] in {"deliveries_open", "delivery_oldest_seconds", "lanes_parked"}]
