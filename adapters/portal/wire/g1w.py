"""Contract form G1w: a wrapper with an address for each service, bare arrays, no session. Values → requests. Pure.

Source: `contracts/portal` (operations-g1w.json, requests-g1w.schema.json). The wrapper logs in to the portal by itself;
how it knows us is unknown, so an account goes in whatever headers the settings name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from adapters.portal.credential import Credential
from adapters.portal.wire.record import Records
from adapters.portal.wire.rules import Rules
from adapters.portal.wire.shapes import DIGIT
from adapters.transport import Request

if TYPE_CHECKING:
    from adapters.portal.credential import Account
    from adapters.portal.settings import PortalSettings
    from contracts.model import DossierCode, Exchange, Purpose
    from contracts.model.dossier import Dossier, DossierProgress


class G1w:
    """The requests of this form. Each refuses with `InvalidRequest` what cannot be sent."""

    success_needs_text: Final = True

    def __init__(self, settings: PortalSettings) -> None:
        self.records: Final = Records(DIGIT)
        self.rules: Final = Rules.of(settings, self.records)
        self._unit_of = settings.unit_of
        self._wrapper = settings.wrapper
        self._base = Request("POST", settings.endpoint.rstrip("/")).url

    def login(self, account: Account, exchange: Exchange) -> Credential:
        """Return the account itself: there is nothing to log in to."""
        del exchange
        return Credential(token=account.secret, account=account.fingerprint, username=account.username)

    def create(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that makes a dossier."""
        self.rules.check(dossier, exchange.operation)
        return self._dossier(self._wrapper.create_path, "False", dossier, purpose, credential)

    def update(self, dossier: Dossier, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that puts a whole content in the place of a dossier's."""
        self.rules.check(dossier, exchange.operation)
        return self._dossier(self._wrapper.update_path, "True", dossier, purpose, credential)

    def progress(
        self, progress: DossierProgress, purpose: Purpose, credential: Credential, exchange: Exchange
    ) -> Request:
        """Return the request that adds steps."""
        self.rules.check_steps(progress, exchange.operation)
        return self._post(self._wrapper.progress_path, self._unit(purpose), credential, self.records.steps(progress))

    def look_up(self, code: DossierCode, purpose: Purpose, credential: Credential, exchange: Exchange) -> Request:
        """Return the request that asks for a dossier."""
        del purpose, exchange
        url = self._base.copy_with(path=self._path(self._wrapper.look_up_path), params={"mahoso": code.value})
        return Request("GET", url, headers=self._headers(credential))

    def _dossier(self, path: str, updating: str, dossier: Dossier, purpose: Purpose, credential: Credential) -> Request:
        query = self._unit(purpose) | {"isUpdating": updating}
        return self._post(path, query, credential, [self.records.dossier(dossier)])

    def _unit(self, purpose: Purpose) -> dict[str, str]:
        return {"MaDinhDanhDV": self._unit_of(purpose.agency)}

    def _post(self, path: str, query: dict[str, str], credential: Credential, content: list[dict[str, Any]]) -> Request:
        url = self._base.copy_with(path=self._path(path))
        if self._wrapper.query:
            url = url.copy_merge_params(query)
        headers = self._headers(credential) | {"Content-Type": "application/json"}
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        return Request("POST", url, headers=headers, content=body)

    def _path(self, path: str) -> str:
        return self._base.path.rstrip("/") + path

    def _headers(self, credential: Credential) -> dict[str, str]:
        headers = {"Accept": "application/json", **self._wrapper.headers}
        if self._wrapper.username_header is not None:
            headers[self._wrapper.username_header] = credential.username
        if self._wrapper.secret_header is not None:
            headers[self._wrapper.secret_header] = credential.token.get_secret_value()
        return headers
