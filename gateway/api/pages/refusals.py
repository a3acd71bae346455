"""What a browser is shown that is turned away before a step is taken: the plain page, never a document for software.

A wrong address or method, a body, too many requests, time that is over, a store that is away, a defect of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts import texts
from gateway.api.pages.page import Page, answer
from gateway.api.problems import connection_headers

if TYPE_CHECKING:
    from starlette.responses import Response

    from contracts.texts import Language
    from gateway.api.problems import Refused

_BELOW: Final = "/sign-ins"
_WORDS: Final = {404: "not_found", 429: "busy", 500: "broken", 503: "unavailable"}
_OTHER: Final = "not_so"


def for_browsers(path: str) -> bool:
    """Return whether a person is at this address, whether there is such a page or not."""
    return path == _BELOW or path.startswith(f"{_BELOW}/")


def refusal_page(refused: Refused, language: Language, correlation_id: str) -> Response:
    """Return the page for a request that was refused at the door."""
    key = _WORDS.get(refused.status, _OTHER)
    page = Page(
        title=texts.text(language, f"page.{key}.title"),
        sentences=tuple(texts.text(language, f"page.{key}.{part}") for part in ("what", "next")),
        small=texts.text(language, "page.id", id=correlation_id),
    )
    shown = answer(page, language, refused.status)
    shown.headers.update(connection_headers(refused.status, refused.retry_after))
    return shown
