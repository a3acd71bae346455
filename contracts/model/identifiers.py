"""Codes and numbers as types. Each refuses text that cannot be one, and those that point at a person hide in `repr`.

Sources: identity number, Decree 137/2015/NĐ-CP Art. 13 and Identity Law 2023 Art. 12 (12 digits, no check digit);
agency code, Decision 20/2020/QĐ-TTg; procedure and dossier codes as observed on the national portal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Self


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


class AgencyCode(Code):
    """Agency e-identifier (mã định danh điện tử), such as `000.00.01.H99`."""

    __slots__ = ()
    form = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}")


class ProcedureCode(Code):
    """Administrative procedure code (mã thủ tục hành chính), `n.nnnnnn`, with or without the agency's suffix."""

    __slots__ = ()
    form = re.compile(r"[0-9]\.[0-9]{6}(\.[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2})?")


class DossierCode(Code):
    """Dossier code (mã hồ sơ), such as `H99.129-260105-0001` or `000.00.01.H99-260105-0001`."""

    __slots__ = ()
    form = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*-[0-9]{6}-[0-9]{4,6}")
