"""Who signed in: a person, an enterprise or an organisation, how sure that is, and which local account is theirs.

Two decisions stand here as pure functions, so that whoever shows them to a caller need not make them again: `assure`
compares the level that came with the level that was asked for, and `match` says which of the local accounts it is.
Everything that could identify somebody is kept out of `repr`.
"""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - the types of fields are read when they are stored
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import ClassVar, Final

from contracts.model.citizen import BirthDate, PersonName  # noqa: TC001 - likewise
from contracts.model.identifiers import (  # noqa: TC001 - likewise
    IdentityNumber,
    OldCardNumber,
    PaperNumber,
    TechnicalId,
)


class AccountKind(StrEnum):
    """Kinds of electronic identity account (loại tài khoản định danh điện tử)."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    ORGANISATION = "organisation"


class Level(IntEnum):
    """Levels of a person's electronic identity (mức độ định danh điện tử), Decree 69/2024/NĐ-CP."""

    ONE = 1
    TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    tech_id: TechnicalId
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    status: str | None = None
    """The account's state (TrangThai) as the door writes it; its values are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPerson(_Account):
    """A person (cá nhân) who has signed in. Raises `ValueError` with neither of the two numbers."""

    kind: ClassVar[AccountKind] = AccountKind.PERSON

    name: PersonName
    identity_number: IdentityNumber | None = None
    old_card_number: OldCardNumber | None = None
    birth: BirthDate | None = None
    passport: PaperNumber | None = None
    social_insurance_number: PaperNumber | None = None
    tax_code: PaperNumber | None = None

    def __post_init__(self) -> None:
        if self.identity_number is None and self.old_card_number is None:
            raise ValueError("a person has a personal number or an old card number")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body(_Account):
    name: str | None = field(default=None, repr=False)
    tax_code: PaperNumber | None = None
    enterprise_number: PaperNumber | None = None
    address: str | None = field(default=None, repr=False)
    representative: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEnterprise(_Body):
    """An enterprise (doanh nghiệp). Who acted for it is not told. Raises `ValueError` with neither of its numbers."""

    kind: ClassVar[AccountKind] = AccountKind.ENTERPRISE

    def __post_init__(self) -> None:
        if self.tax_code is None and self.enterprise_number is None:
            raise ValueError("an enterprise has a tax code or an enterprise number")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedOrganisation(_Body):
    """An agency or organisation (cơ quan, tổ chức). Who acted for it is not told."""

    kind: ClassVar[AccountKind] = AccountKind.ORGANISATION


VerifiedAccount = VerifiedPerson | VerifiedEnterprise | VerifiedOrganisation


class Verdict(StrEnum):
    """What came, against what was asked for."""

    MET = "met"
    TOO_LOW = "too_low"
    UNSTATED = "unstated"
    """The door says nothing about the level, or nothing that a table knows."""
    NO_LEVELS = "no_levels"
    """The account of an enterprise or organisation: these have no levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """How sure an identity is. `found` is the level that the door states, `asked` the one that the caller needs."""

    asked: Level | None
    found: Level | None
    verdict: Verdict

    @property
    def enough(self) -> bool:
        """Whether the caller has what was asked for."""
        return self.verdict in (Verdict.MET, Verdict.NO_LEVELS)


def assure(asked: Level | None, found: Level | None, kind: AccountKind) -> Assurance:
    """Return the verdict. What nobody asked for is met; what is not stated is not assumed."""
    if asked is None or (found is not None and found >= asked):
        verdict = Verdict.MET
    elif found is not None:
        verdict = Verdict.TOO_LOW
    else:
        verdict = Verdict.UNSTATED if kind is AccountKind.PERSON else Verdict.NO_LEVELS
    return Assurance(asked=asked, found=found, verdict=verdict)


class Paper(StrEnum):
    """Papers that an account may be found by, besides its technical id."""

    IDENTITY_NUMBER = "identity_number"
    OLD_CARD_NUMBER = "old_card_number"
    TAX_CODE = "tax_code"
    ENTERPRISE_NUMBER = "enterprise_number"


PAPERS: Final = {
    AccountKind.PERSON: (Paper.IDENTITY_NUMBER, Paper.OLD_CARD_NUMBER),
    AccountKind.ENTERPRISE: (Paper.TAX_CODE, Paper.ENTERPRISE_NUMBER),
    AccountKind.ORGANISATION: (),
}
"""By which papers an account is looked for, in this order. An organisation is found by its technical id alone."""


@dataclass(frozen=True, slots=True)
class PaperKey:
    """One paper of an account, to be compared as it stands."""

    paper: Paper
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAccount:
    """An account of the caller's own software, as far as matching needs it. `id` is the caller's.

    `kind` is whose account it is, where the caller says so: a person's tax code may be that of their business, too.
    """

    id: str
    kind: AccountKind | None = None
    tech_id: TechnicalId | None = None
    papers: frozenset[PaperKey] = frozenset()
    locked: bool = False


class Match(StrEnum):
    """What a sign-in means for the local accounts."""

    KNOWN = "known"
    """One account is linked to this technical id."""
    LINK = "link"
    """One account has this paper and no technical id: whoever signed in proves it and links it."""
    NEW = "new"
    """No account is theirs."""
    LOCKED = "locked"
    """The account that it would be is locked locally."""
    CONFLICT = "conflict"
    """Several accounts have the id or the papers, or the one that has is linked to somebody else, or is of another kind
    than the account that it is linked to: a person decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The outcome, the local accounts that it speaks of, and the paper that led there (`None`: the technical id)."""

    outcome: Match
    accounts: tuple[str, ...] = ()
    by: Paper | None = None


def paper_keys(account: VerifiedAccount) -> tuple[PaperKey, ...]:
    """Return the papers that `account` may be found by, the surest first."""
    numbers = ((paper, getattr(account, paper.value)) for paper in PAPERS[account.kind])
    return tuple(PaperKey(paper, number.value) for paper, number in numbers if number is not None)


def match(account: VerifiedAccount, candidates: Iterable[LocalAccount]) -> Matching:
    """Return which of `candidates` is the account that signed in. Nothing is changed anywhere.

    The technical id goes before every paper. `candidates` are all local accounts that have it or one of `paper_keys`.
    A paper leads to no account of another kind: who acts for a business is not the person who owns it.
    """
    known = tuple(candidates)
    same = [one for one in known if one.kind in (None, account.kind)]
    linked = [one for one in known if one.tech_id == account.tech_id]
    if linked:
        return _matching(Match.KNOWN if linked[0] in same else Match.CONFLICT, linked, None)
    found = [(key.paper, one) for key in paper_keys(account) for one in same if key in one.papers]
    if not found:
        return Matching(outcome=Match.NEW)
    matching = _matching(Match.LINK, list({one.id: one for _, one in found}.values()), found[0][0])
    taken = any(one.tech_id is not None for _, one in found)
    return Matching(outcome=Match.CONFLICT, accounts=matching.accounts, by=matching.by) if taken else matching


def _matching(outcome: Match, found: list[LocalAccount], by: Paper | None) -> Matching:
    accounts = tuple(sorted(one.id for one in found))
    if len(found) > 1:
        return Matching(outcome=Match.CONFLICT, accounts=accounts, by=by)
    return Matching(outcome=Match.LOCKED if found[0].locked else outcome, accounts=accounts, by=by)
