from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from contracts.model import AgencyCode, DossierCode, IdentityNumber
from gateway.api.schemas.dossier_parts import ProgressStepV1
from gateway.api.schemas.dossiers import DossierV1
from lienthong.demo.people import Person
from lienthong.demo.portal.dossiers import COMMUNES, FILES, FIRST, LAST, made
from lienthong.demo.portal.stories import DOSSIERS, STORIES, shared_out

if TYPE_CHECKING:
    from lienthong.demo.portal.dossiers import Case

OWNERS = [
    Person(
        id=n, key=f"k{n}", number=f"9991000000{n:02}", card=None, name=f"Trần Thị Mẫu {n}", birth="1990", oddities=odd
    )
    for n, odd in enumerate([frozenset[str](), frozenset({"shared_number"}), frozenset[str]()])
]


def cases(seed: int = 1) -> list[Case]:
    return made(OWNERS, DOSSIERS, seed)


def test_the_same_seed_makes_the_same_dossiers() -> None:
    """A run can be repeated; another seed is another month."""
    assert cases(7) == cases(7)
    assert cases(7) != cases(8)


def test_dossiers_are_200_of_ten_communes_under_codes_of_their_own() -> None:
    """Every code has the grammar of a dossier's, names its commune, and stands once; no step stands twice."""
    found = cases()
    assert len(found) == DOSSIERS == 200
    assert {case.commune for case in found} == set(COMMUNES)
    assert len({DossierCode(case.code) for case in found}) == DOSSIERS
    assert all(case.code.startswith(f"{AgencyCode(case.commune.agency)}-") for case in found)
    assert all(len({(step.at, step.status) for step in case.steps}) == len(case.steps) for case in found)


def test_every_body_is_one_that_the_api_takes_and_lies_inside_the_month() -> None:
    """Reception, steps and result keep the API's rules; all of it happens in the period of the index, in order."""
    for case in cases():
        for content in (case.reception(), case.result()):
            dossier = DossierV1.model_validate_json(json.dumps(content)).to_model(code=DossierCode(case.code))
            assert FIRST <= dossier.received_at.date() <= LAST
        for step in case.progress():
            ProgressStepV1.model_validate_json(json.dumps(step))
        moments = [case.received_at, *(step.at for step in case.steps)]
        assert moments == sorted(moments)
        assert datetime.fromisoformat(case.result()["returned_at"]).date() <= LAST


def test_a_month_is_good_and_not_perfect() -> None:
    """Each criterion has dossiers on both sides, so that a rate that is always full would be seen to be wrong."""
    found = cases()
    for name in ("late", "online", "digitised", "known"):
        assert {getattr(case, name) for case in found} == {True, False}, name


def test_nobody_in_it_exists_and_nothing_of_a_person_shows() -> None:
    """Numbers begin with 999, files lie at an example's address, odd people own nothing, and `repr` names nobody."""
    found = cases()
    assert all(IdentityNumber(case.number).value.startswith("999") for case in found)
    assert {case.number for case in found} == {OWNERS[0].number, OWNERS[2].number}
    assert ".example/" in FILES
    assert found[0].number not in repr(found[0])
    assert "Trần" not in repr(found[0])


def test_each_story_has_dossiers_of_its_own() -> None:
    """Every dossier is in one story; no story strikes more than it has."""
    shared = list(shared_out(cases()))
    codes = [case.code for _, part in shared for case in part]
    assert len(set(codes)) == len(codes) == DOSSIERS
    assert [story for story, _ in shared] == list(STORIES)
    assert all(story.struck <= len(part) == story.dossiers for story, part in shared)
