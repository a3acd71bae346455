"""Contract form G1: everything to one address, session and service in the body. Values → requests. Pure.

Source: `contracts/portal` (operations.json, requests.schema.json).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from adapters.portal.settings import PathForm
from adapters.portal.wire.record import Records
from adapters.portal.wire.rules import Rules
from adapters.portal.wire.shapes import SPELT
from adapters.transport import Request

if TYPE_CHECKING:
    from adapters.portal.credential import Account, Credential
    from adapters.portal.settings import PortalSettings
    from adapters.transport import URL
    from contracts.model import AgencyCode, DossierCode, Exchange, Purpose
    from contracts.model.dossier import Dossier, DossierProgress

_PREFIXES: Final = {
    PathForm.BARE: "",
    PathForm.XRD: "/XrdAdapter/RestService/forward",
    PathForm.VXP: "/VXPAdapter/RestService/forward",
}
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json", "Charset": "utf-8"}


class G1:
    """The requests of this form. Each refuses with `InvalidRequest` what cannot be sent."""

    success_needs_text: Final = False

    def __init__(self, settings: PortalSettings) -> None:
        self.records: Final = Records(SPELT)
        self.rules: Final = Rules.of(settings, self.records)
        self._unit_of = settings.unit_of
        self._headers = dict(_HEADERS)
        query: dict[str, str] = {}
        if settings.dstcode is not None:
            (self._headers if settings.dstcode_in == "header" else query)["dstcode"] = settings.dstcode
        if settings.provider_url is not None:
            query["providerurl"] = settings.provider_url
        base = Request("POST", settings.endpoint).url
        prefix = base.path.rstrip("/") + _PREFIXES[settings.path_form]
        base = base.copy_merge_params(query)
        self._login = base.copy_with(path=prefix + settings.login_path)
        self._service = base.copy_with(path=prefix + settings.service_path)

    def login(self, account: Account, exchange: Exchange) -> Request:
        """Return the request that opens a session."""
        del exchange
        content = {"username": account.username, "password": account.secret.get_secret_value()}
        return self._request(self._login, content)

    def create(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that makes a dossier."""
        return self._dossier(dossier, "False", purpose, credential, exchange)

    def update(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that puts a whole content in the place of a dossier's."""
        return self._dossier(dossier, "True", purpose, credential, exchange)

    def progress(
        self, progress: DossierProgress, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Request:
        """Return the request that adds steps."""
        self.rules.check_steps(progress, exchange.operation)
        return self._call("CapNhatTienDoHoSoMC", purpose.agency, credential, {"data": self.records.steps(progress)})

    def look_up(self, code: DossierCode, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that asks for a dossier."""
        del exchange
        return self._call("TraCuuHoSo", purpose.agency, credential, {"mahoso": code.value})

    def _dossier(
        self, dossier: Dossier, updating: str, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Request:
        self.rules.check(dossier, exchange.operation)
        content = {"isUpdating": updating, "data": [self.records.dossier(dossier)]}
        return self._call("DongBoHoSoMC", purpose.agency, credential, content)

    def _call(self, service: str, agency: AgencyCode, credential: Credential, content: dict[str, Any]) -> Request:
        session, unit = credential.token.get_secret_value(), self._unit_of(agency)
        envelope = {"session": session, "madonvi": unit, "service": service}
        return self._request(self._service, envelope | content)

    def _request(self, url: URL, content: dict[str, Any]) -> Request:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Request("POST", url, headers=self._headers, content=body)
