from __future__ import annotations

from typing import Any

from lienthong.demo.people import Person, Register, fold


def person(key: str, number: str | None, name: str, birth: str, **more: Any) -> Person:
    return Person(
        id=1,
        key=key,
        number=number,
        card=more.get("card"),
        name=name,
        birth=birth,
        oddities=frozenset(more.get("oddities", ())),
    )


SHARED = "999100000001"
PEOPLE = (
    person("a", SHARED, "Trần Thị Mẫu", "1990-02-28", oddities=("shared_number",)),
    person("a", SHARED, "Lê Văn Mẫu", "1971-05-05", oddities=("shared_number",)),
    person("b", "999100000002", "Đỗ Ánh", "1951", oddities=("year_only_birth",)),
    person("c", None, "Đỗ Ánh", "1960-01-01", card="999000003"),
    person("d", None, "Chưa Có", "2026-06-01", oddities=("number_pending",)),
    *(person(f"o{n}", f"9991000001{n:02}", f"Nguyễn Văn {n}", "1980-01-01") for n in range(20)),
)


def test_names_are_compared_without_case_marks_and_spaces() -> None:
    """Composed or decomposed, in whatever case: the same name."""
    assert fold("Đỗ  Ánh") == fold("ĐO\u0302\u0303 ánh") == "DOANH"


def test_the_right_answer_of_a_shared_number_is_the_person_named() -> None:
    """Two people with one number are told apart by name and birth."""
    register = Register(PEOPLE, seed=1)
    questions = [register.right("lookup") for _ in range(60)]
    assert {len(question.records) for question in questions} == {1}
    assert all(fold(question.citizen["full_name"]) in str(question.records) for question in questions)


def test_people_without_a_number_are_not_asked_about() -> None:
    """A newborn whose number is pending cannot be asked for."""
    register = Register(PEOPLE, seed=1)
    assert len(register) == len(PEOPLE) - 1
    assert "d" not in {register.right("verify").key for _ in range(100)}


def test_a_wrong_combination_finds_nobody() -> None:
    """The number of one citizen under the name of another is a question whose answer is no."""
    register = Register(PEOPLE, seed=1)
    questions = [register.wrong("verify") for _ in range(60)]
    assert sum(not question.records for question in questions) > 50


def test_the_same_seed_asks_the_same() -> None:
    """A demo can be repeated."""
    first, second = Register(PEOPLE, seed=7), Register(PEOPLE, seed=7)
    assert [first.wrong("verify") for _ in range(30)] == [second.wrong("verify") for _ in range(30)]


def test_nothing_of_a_person_shows_in_repr() -> None:
    """A traceback or a log of the demo names nobody, made up or not."""
    question = Register(PEOPLE, seed=1).right("verify")
    assert not any(part in repr((PEOPLE, question)) for part in ("999", "Mẫu", "1990"))
