"""What is kept sealed of a sign-in, as JSON: what waits for the browser, who signed in, what a log-out needs.

Secrets are written out by name, because their types hide them from whatever writes a value as a whole.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr, TypeAdapter

from adapters.vneid import Departure, Pending
from contracts.model.identity import (
    Assurance,
    Level,
    Verdict,
    VerifiedEnterprise,
    VerifiedOrganisation,
    VerifiedPerson,
)
from gateway.signins.values import Tokens

if TYPE_CHECKING:
    from contracts.model.identity import VerifiedAccount

_ACCOUNTS: Final[dict[str, TypeAdapter[Any]]] = {
    one.kind.value: TypeAdapter(one) for one in (VerifiedPerson, VerifiedEnterprise, VerifiedOrganisation)
}


def departure_bytes(departure: Departure) -> bytes:
    """Return a departure as it is sealed."""
    pending = departure.pending
    return _bytes(
        {
            "address": departure.address,
            "issuer": pending.issuer,
            "redirect_uri": pending.redirect_uri,
            "state": _shown(pending.state),
            "nonce": _shown(pending.nonce),
            "verifier": _shown(pending.verifier),
            "asked": pending.asked,
            "since": None if pending.since is None else pending.since.isoformat(),
        }
    )


def departure_of(content: bytes) -> Departure:
    """Return the departure that was sealed."""
    kept = json.loads(content)
    asked, since = kept["asked"], kept["since"]
    pending = Pending(
        issuer=kept["issuer"],
        redirect_uri=kept["redirect_uri"],
        state=SecretStr(kept["state"]),
        nonce=_hidden(kept["nonce"]),
        verifier=_hidden(kept["verifier"]),
        asked=None if asked is None else Level(asked),
        since=None if since is None else datetime.fromisoformat(since),
    )
    return Departure(kept["address"], pending)


def person_bytes(account: VerifiedAccount, assurance: Assurance) -> bytes:
    """Return who signed in as it is sealed."""
    kind = account.kind.value
    told = {"asked": assurance.asked, "found": assurance.found, "verdict": assurance.verdict}
    whole = {"kind": kind, "account": json.loads(_ACCOUNTS[kind].dump_json(account)), "assurance": told}
    return _bytes(whole)


def person_of(content: bytes) -> tuple[VerifiedAccount, Assurance]:
    """Return who was sealed."""
    kept = json.loads(content)
    account: VerifiedAccount = _ACCOUNTS[kept["kind"]].validate_json(json.dumps(kept["account"]))
    told = kept["assurance"]
    asked, found = (None if told[name] is None else Level(told[name]) for name in ("asked", "found"))
    return account, Assurance(asked=asked, found=found, verdict=Verdict(told["verdict"]))


def tokens_bytes(tokens: Tokens) -> bytes:
    """Return tokens as they are sealed."""
    names = ("id_token", "access", "refresh", "linked")
    return _bytes({name: _shown(getattr(tokens, name)) for name in names})


def tokens_of(content: bytes) -> Tokens:
    """Return the tokens that were sealed."""
    kept = json.loads(content)
    return Tokens(
        id_token=SecretStr(kept["id_token"]),
        access=_hidden(kept["access"]),
        refresh=_hidden(kept["refresh"]),
        linked=_hidden(kept["linked"]),
    )


def _bytes(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _hidden(text: str | None) -> SecretStr | None:
    return None if text is None else SecretStr(text)
