"""Why personal data is asked for, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contracts.model.identifiers import AgencyCode, DossierCode, ProcedureCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """The procedure, the officer and the dossier that a call on personal data serves.

    `officer` is the login name in the calling software. `dossier` is `None` only while the citizen's dossier does not
    exist yet; the caller then states the reason `before_dossier`.
    """

    agency: AgencyCode
    procedure: ProcedureCode
    officer: str
    dossier: DossierCode | None
