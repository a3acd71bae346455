"""What the national portal is asked."""

from __future__ import annotations

from gateway.api.description.words import DOOR, JSON, content, operation
from gateway.api.schemas.portal import PortalDossierResponseV1
from gateway.security import Scope

SCHEMAS = (PortalDossierResponseV1,)
LOOK_UP = operation(
    "lookUpDossierAtPortal",
    "Tra cứu hồ sơ trên Cổng Dịch vụ công quốc gia (look a dossier up at the national portal)",
    "dossiers",
    scope=Scope.DOSSIERS_READ,
    answer=content(PortalDossierResponseV1, JSON, "portal_dossier_found", "portal_dossier_not_there"),
    problems=(*DOOR, 422, 429, 502, 504),
    headers=("Prefer", "AcceptLanguage", "CorrelationId"),
    query=("PurposeAgency", "PurposeProcedure", "PurposeOfficer"),
    path=("code", "H99.5-260302-0017"),
)
