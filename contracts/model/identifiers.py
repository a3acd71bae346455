"""Codes and numbers as types. Each refuses text that cannot be one, and those that point at a person hide in `repr`.

Sources: identity number, Decree 137/2015/NĐ-CP Art. 13 and Identity Law 2023 Art. 12 (12 digits, no check digit);
agency code, Decision 20/2020/QĐ-TTg; procedure and dossier codes as observed on the national portal. A form that is
widened is written `(as it was|what is new)`: so a check can see that no caller is refused who was not refused before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Self


@dataclass(frozen=True, slots=True)
class Code:
    """A text of a stated form. Raises `ValueError` with the name of the form, never with the text."""

    value: str

    form: ClassVar[re.Pattern[str]]

    def __post_init__(self) -> None:
        if not self.form.fullmatch(self.value):
            raise ValueError(f"not a {type(self).__name__}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code in `text`, surrounding space removed. Raises `ValueError`."""
        return cls(text.strip())

    def __str__(self) -> str:
        return self.value


class _Private(Code):
    """A code that points at one person: shown only when asked for by `.value`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def __str__(self) -> str:
        return "***"


class IdentityNumber(_Private):
    """Personal identity number (số định danh cá nhân), 12 digits.

    The digits speak of province, century, sex and year of birth, but corrections do not change the number:
    a mismatch is a hint and never proof of an error.
    """

    __slots__ = ()
    form = re.compile(r"[0-9]{12}")


class OldCardNumber(_Private):
    """Number of the old identity card (chứng minh nhân dân), 9 digits."""

    __slots__ = ()
    form = re.compile(r"[0-9]{9}")


class TechnicalId(_Private):
    """Technical id of an account at the national portal (TechID): opaque, and the same at every sign-in."""

    __slots__ = ()
    form = re.compile(r"[!-~]{1,255}")


class PaperNumber(_Private):
    """Number of a paper whose form is not checked: passport, tax code, enterprise number, social insurance number."""

    __slots__ = ()
    form = re.compile(r"[0-9A-Za-z]([0-9A-Za-z ./-]{0,48}[0-9A-Za-z])?")


_LEVELS: Final = r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}"
"""Four groups of fixed length, as in Circular 10/2016/TT-BTTTT; the last one names the ministry or the province."""
_SHORT: Final = r"[A-Z][0-9]{2}(\.[0-9A-Z]{1,4}){0,6}"
"""The ministry or the province first, then a group for each level below; never more than 35 characters."""
_NATIONAL: Final = len("n.nnnnnn")


class AgencyCode(Code):
    """Agency e-identifier (mã định danh điện tử): `000.00.01.H99` of old; `H56`, `H56.14`, `G09.20` since 2020.

    At most 35 characters. `G` stands for a central body, `H` for a province.
    """

    __slots__ = ()
    form = re.compile(rf"({_LEVELS}|{_SHORT})")


class ProcedureCode(Code):
    """Administrative procedure code (mã thủ tục hành chính), `n.nnnnnn`, with or without the agency's suffix.

    A provincial copy is named after its province, as `9.000001.000.00.00.H56` or as `9.000001.H56`.
    """

    __slots__ = ()
    form = re.compile(rf"([0-9]\.[0-9]{{6}}(\.{_LEVELS})?|[0-9]\.[0-9]{{6}}\.[A-Z][0-9]{{2}})")

    @property
    def national(self) -> ProcedureCode:
        """The code in the national list, of which this one may be a copy."""
        return ProcedureCode(self.value[:_NATIONAL])


class DossierCode(Code):
    """Dossier code (mã hồ sơ): the unit, the day of reception and the number of that day.

    `000.00.07.H99-260302-0017` (Circular 01/2018/TT-VPCP Art. 19) and `H99.5-260302-0017`, whose number has four digits
    and more where a day outgrows them; `H99.5-20260302-0000017`, as a national service gives them out. What stands for
    the unit is not checked: one-stop software has codes of its own making, which are the dossier's all the same.
    """

    __slots__ = ()
    form = re.compile(
        r"([A-Z0-9]+(\.[A-Z0-9]+)*-[0-9]{6}-[0-9]{4,6}|[A-Z0-9]+(\.[A-Z0-9]+)*-([0-9]{6}|[0-9]{8})-[0-9]{7})"
    )
