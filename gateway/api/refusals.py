"""How a refusal at the door is answered: as a page where a person is, else as a problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.api import problems
from gateway.api.pages.refusals import for_browsers, refusal_page

if TYPE_CHECKING:
    from starlette.responses import Response

    from contracts.texts import Language
    from gateway.api.problems import Refused


def refusal(path: str, refused: Refused, language: Language, correlation_id: str) -> Response:
    """Return the answer to a request for `path` that was refused."""
    if for_browsers(path):
        return refusal_page(refused, language, correlation_id)
    return problems.response(problems.of_refused(refused, language, correlation_id))
