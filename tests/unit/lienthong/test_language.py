from __future__ import annotations

import pytest

from contracts.texts import Language
from lienthong import language
from lienthong.stop import ExitCode, Stop


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Language.VI),
        ({"LANG": "C.UTF-8"}, Language.VI),
        ({"LANG": "en_US.UTF-8"}, Language.EN),
        ({"LC_MESSAGES": "en_GB.UTF-8", "LANG": "vi_VN.UTF-8"}, Language.EN),
        ({"LC_ALL": "vi_VN.UTF-8", "LANG": "en_US.UTF-8"}, Language.VI),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8"}, Language.EN),
        ({"LIENTHONG_LANG": "en", "LANG": "vi_VN"}, Language.EN),
        ({"LIENTHONG_LANG": "VI", "LANG": "en_US"}, Language.VI),
        ({"LIENTHONG_LANG": "fr", "LANG": "en_US"}, Language.EN),
    ],
)
def test_the_environment_decides_the_language(environ: dict[str, str], expected: Language) -> None:
    """The product's own variable wins, then the locale as POSIX orders it; what is neither is Vietnamese."""
    assert language.of_environment(environ) is expected


@pytest.mark.parametrize(
    ("arguments", "value", "rest"),
    [
        ((), None, []),
        (("demo", "--lang", "en"), "en", ["demo"]),
        (("--lang=vi", "demo"), "vi", ["demo"]),
        (("demo", "--lang"), "", ["demo"]),
        (("mocks", "--", "--lang", "en"), None, ["mocks", "--", "--lang", "en"]),
    ],
)
def test_the_option_may_stand_anywhere(arguments: tuple[str, ...], value: str | None, rest: list[str]) -> None:
    """`--lang` is taken out wherever it stands, but not after a double dash."""
    assert language.take(arguments) == (value, rest)


def test_a_language_that_is_not_there_is_a_usage_error() -> None:
    """A misspelt language is told, not guessed."""
    with pytest.raises(Stop) as caught:
        language.of_option("fr")
    assert caught.value.code == ExitCode.USAGE
