"""Who may ask for what, decided before anything leaves; and how the two operations are declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.population import Population
from contracts.model import AgencyCode, CallerRefused, Effect, Layer, ProcedureCode, Repeat
from tests.support.population import AGENCY, PURPOSE, QUERY, Partner, adapter, example, exchange, partner

OTHER = AgencyCode("000.00.02.H99")


async def refusal(door: Partner, purpose: object, **changes: object) -> str:
    """Return the reason why this purpose is refused, and hold that nothing left."""
    system = adapter(door, **changes)
    with pytest.raises(CallerRefused) as caught:
        await system.lookup(QUERY, purpose, system.credential(AGENCY), exchange())  # type: ignore[arg-type]
    assert not door.sent
    assert caught.value.layer is Layer.OURS
    assert caught.value.operation is Population.LOOKUP
    return caught.value.reason


@pytest.mark.parametrize("officer", ["nguoi.la", "", "CANBO.MAU", " canbo.mau"])
async def test_an_officer_without_an_account_is_refused_unsent(officer: str) -> None:
    """Nobody asks under somebody else's account; logins are compared as they are."""
    assert await refusal(partner(b""), replace(PURPOSE, officer=officer)) == "officer_not_mapped"


@pytest.mark.parametrize("code", ["9.000002", "9.000002.000.00.00.H99"])
async def test_a_procedure_without_a_licence_is_refused_unsent(code: str) -> None:
    """Where the list is given, it is the whole list."""
    purpose = replace(PURPOSE, procedure=ProcedureCode(code))
    assert await refusal(partner(b""), purpose, procedures={"9.000001": "9.000001"}) == "procedure_not_licensed"


async def test_an_empty_list_licenses_nothing() -> None:
    """An empty list is a list."""
    assert await refusal(partner(b""), PURPOSE, procedures={}) == "procedure_not_licensed"


@pytest.mark.parametrize(("agency", "code", "phone"), [(AGENCY, "CB_RIENG", "0911"), (OTHER, "CB_THU_01", "0")])
async def test_an_agencys_own_officers_come_first(agency: AgencyCode, code: str, phone: str) -> None:
    """The same login in two agencies is two people."""
    door = partner(example("lookup-none-empty-collection.xml"))
    own = {AGENCY.value: {"officers": {"canbo.mau": "CB_RIENG"}, "phone": "0911"}}
    system = adapter(door, agencies=own)
    purpose = replace(PURPOSE, agency=agency)
    await system.lookup(QUERY, purpose, system.credential(agency), exchange())
    sent = door.sent[0].content.decode()
    assert f"MaCanBo>{code}<" in sent
    assert f"SoDienThoai>{phone}<" in sent
    assert f"MaDonVi>{agency}<" in sent


async def test_each_attempt_carries_its_own_request_id() -> None:
    """`MaYeuCau` is the attempt's, so that the partner can tell two attempts apart."""
    door = partner(example("lookup-none-empty-collection.xml"))
    system = adapter(door)
    for request_id in ("R-1", "R-2"):
        await system.lookup(QUERY, PURPOSE, system.credential(AGENCY), exchange(request_id=request_id))
    assert ["MaYeuCau>R-1<" in r.content.decode() for r in door.sent] == [True, False]
    assert "MaYeuCau>R-2<" in door.sent[1].content.decode()


async def test_the_method_decides_what_is_asked() -> None:
    """An exchange opened for the other operation does not turn a verification into a look-up."""
    door = partner(example("verify-yes.xml"))
    system = adapter(door)
    assert (await system.verify(QUERY, PURPOSE, system.credential(AGENCY), exchange(Population.LOOKUP))).matches
    assert b"XacThucThongTinCongDan" in door.sent[0].content


@pytest.mark.parametrize("operation", [Population.VERIFY, Population.LOOKUP])
def test_both_operations_are_reads(operation: object) -> None:
    """A repeat changes nothing at the partner."""
    assert (operation.effect, operation.repeat) == (Effect.READ, Repeat.SAFE)  # type: ignore[attr-defined]


def test_the_declarations_are_named_for_the_catalogue() -> None:
    """Texts, metrics and audit find them by these names."""
    assert [str(Population.VERIFY), str(Population.LOOKUP)] == ["population.verify", "population.lookup"]
