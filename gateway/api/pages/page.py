"""One plain page: a heading, what happened, what to do, links or a form. Pure.

Every value is escaped here and nowhere else. A content security policy allows this style by its hash and nothing more:
no script, no image, no frame around the page, and forms only to where this one goes.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final, Literal

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contracts.texts import Language

_STYLE: Final = (
    "body{margin:0;background:#fff;color:#1a1a1a;font:1.125rem/1.6 system-ui,sans-serif}"
    "main{max-width:38rem;margin:0 auto;padding:2rem 1rem}"
    "h1{font-size:1.6rem;line-height:1.3;margin:0 0 1rem}"
    "a{color:#0b4f9e}"
    "button{font:inherit;padding:.6rem 1.2rem;border:2px solid #0b4f9e;border-radius:.3rem;background:#0b4f9e;"
    "color:#fff;cursor:pointer}"
    "a:focus,button:focus{outline:3px solid #b35900;outline-offset:3px}"
    ".id{color:#4d4d4d;font-size:1rem;overflow-wrap:anywhere}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Of every answer to a browser: nobody keeps it, and no address of it is told to where the browser goes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form with one button. `origins` are all the places that it may lead through."""

    action: str
    method: Literal["GET", "POST"]
    fields: Mapping[str, str] = field(repr=False)
    button: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What stands on a page, in words that are not escaped yet. `links` are pairs of address and words."""

    title: str
    sentences: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    form: Form | None = None
    small: str | None = None


def answer(page: Page, language: Language, status: int) -> Response:
    """Return the page as an answer."""
    return Response(
        _html(page, language),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={**HEADERS, "Content-Security-Policy": policy(page.form)},
    )


def policy(form: Form | None) -> str:
    """Return the content security policy of a page. Browsers hold a form to it through every redirection."""
    to = "'none'" if form is None else " ".join(("'self'", *form.origins))
    return f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action {to}; frame-ancestors 'none'; base-uri 'none'"


def _html(page: Page, language: Language) -> str:
    title = escape(page.title)
    parts = [f"<h1>{title}</h1>", *(f"<p>{escape(one)}</p>" for one in page.sentences)]
    if page.form is not None:
        parts.append(_form(page.form))
    parts += [f'<p><a href="{escape(address)}">{escape(words)}</a></p>' for address, words in page.links]
    if page.small is not None:
        parts.append(f'<p class="id">{escape(page.small)}</p>')
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _form(form: Form) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.fields.items()
    )
    way = f'method="{form.method.lower()}" action="{escape(form.action)}"'
    return f"<form {way}>{hidden}<button>{escape(form.button)}</button></form>"
