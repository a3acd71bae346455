"""The addresses that a citizen's browser opens: the start of a sign-in, the way back from the door, the way out.

They are `GET`, take no key, and answer with a redirection or a page; what may happen is decided in `gateway.signins`.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from contracts import texts
from gateway.api import preferences
from gateway.api.pages.page import HEADERS, Form, Page, answer, policy
from gateway.api.problems import Refused
from gateway.signins import CALLBACK, LEFT, Go, Notice, Show
from gateway.signins import Form as Leaving
from gateway.signins.codes import cookies

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.datastructures import Headers

    from contracts.texts import Language
    from gateway.runtime import Gateway
    from gateway.signins import Cookie, SignIns

    Step = Callable[[Request, SignIns], Awaitable[Go | Show | Leaving]]

STATUS: Final = {
    Notice.UNKNOWN: 404,
    Notice.OTHER_BROWSER: 403,
    Notice.EXPIRED: 410,
    Notice.STRANGE: 400,
    Notice.UNAVAILABLE: 503,
    Notice.DENIED: 200,
    Notice.BEGIN_AGAIN: 503,
    Notice.FAILED: 502,
    Notice.LEFT: 200,
}
_OVER: Final = frozenset({Notice.EXPIRED, Notice.BEGIN_AGAIN, Notice.FAILED})
"""The sign-in is over: whoever made it can make another."""
_ON: Final = 303
_NOT_NOW: Final = 503
"""What makes a browser that fetches ahead forget about it, and come again when somebody wants to see the page."""
_AHEAD: Final = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_DOCUMENT: Final = "document"


def routes(app: FastAPI) -> None:
    """Add the addresses. They are no part of the API's description: no software calls them."""
    for path, step in ((CALLBACK, _callback), (LEFT, _left), ("/sign-ins/{sign_in}", _start)):
        app.get(path, include_in_schema=False)(_browser(step))
    app.get("/sign-ins/{sign_in}/leave", include_in_schema=False)(_browser(_leave))


async def _start(request: Request, signins: SignIns) -> Go | Show:
    return await signins.open(request.path_params["sign_in"], _cookies(request), request.state.correlation_id)


async def _callback(request: Request, signins: SignIns) -> Go | Show:
    query = request.scope["query_string"].decode("latin-1")
    return await signins.come_back(query, _cookies(request), request.state.correlation_id)


async def _leave(request: Request, signins: SignIns) -> Leaving | Show:
    code = request.query_params.get("code", "")
    return await signins.way_out.leave(request.path_params["sign_in"], code, request.state.correlation_id)


async def _left(request: Request, signins: SignIns) -> Go | Show:
    return await signins.way_out.left(request.query_params.get("state"))


def _cookies(request: Request) -> dict[str, str]:
    return cookies(request.headers.getlist("cookie"))


def _visit(headers: Headers) -> bool:
    """Return whether somebody goes to the page: it is not fetched ahead, nor for a frame, an image or a script.

    What is good for one visit would be used up by these, and what a frame is given as a cookie is lost.
    """
    if any("prefetch" in value or "preview" in value for name in _AHEAD for value in headers.getlist(name)):
        return False
    return headers.get("sec-fetch-dest", _DOCUMENT) == _DOCUMENT


def _browser(step: Step) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that takes a step and shows what came of it to a person."""

    @wraps(step)
    async def route(request: Request) -> Response:
        gateway: Gateway = request.app.state.gateway
        if gateway.signins is None:
            raise Refused("not_found")
        wait = gateway.visitors.take(None if request.client is None else request.client.host, gateway.monotonic())
        if wait is not None:
            raise Refused("too_many_visits", retry_after=wait)
        if not _visit(request.headers):
            gateway.metrics.turned_away("sign_in_no_visit")
            return Response(status_code=_NOT_NOW, headers={**HEADERS, "Content-Security-Policy": policy(None)})
        came = await step(request, gateway.signins)
        if isinstance(came, Show) and came.notice is not Notice.LEFT:
            gateway.metrics.turned_away(f"sign_in_{came.notice}")
        return _answered(came, preferences.language(request.headers), request.state.correlation_id)

    route.__annotations__ = {"request": Request, "return": Response}
    del route.__wrapped__  # its signature is this one's, not the step's
    return route


def _answered(came: Go | Show | Leaving, language: Language, correlation_id: str) -> Response:
    if isinstance(came, Go):
        headers = {**HEADERS, "Location": came.address}
        if came.cookie is not None:
            headers["Set-Cookie"] = _set(came.cookie)
        return Response(status_code=_ON, headers=headers)
    if isinstance(came, Leaving):
        return answer(_leaving(came, language), language, 200)
    return answer(_shown(came, language, correlation_id), language, STATUS[came.notice])


def _set(cookie: Cookie) -> str:
    """Return the cookie as it is set. `Lax`: it comes along when the door sends the browser back, and in no frame."""
    return f"{cookie.name}={cookie.value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={cookie.lasts}"


def _shown(show: Show, language: Language, correlation_id: str) -> Page:
    def text(key: str) -> str:
        return texts.text(language, f"page.{key}")

    key = show.notice.value
    cause = () if show.reason is None else (_cause(show, language),)
    links = ((show.again, text("again")), (show.back, text("begin" if show.notice in _OVER else "back")))
    return Page(
        title=text(f"{key}.title"),
        sentences=(text(f"{key}.what"), *cause, text(f"{key}.next")),
        links=tuple((address, words) for address, words in links if address is not None),
        small=texts.text(language, "page.id", id=correlation_id),
    )


def _cause(show: Show, language: Language) -> str:
    """Return what failed, in the words that a clerk would read out."""
    known = texts.catalogue(language)
    key = next(
        one
        for one in (f"reason.{show.reason}.what", f"kind.{show.kind}.what", "kind.system_failed.what")
        if one in known
    )
    said = texts.text(language, key, system=texts.system_name(language, "vneid"))
    return said[:1].upper() + said[1:]


def _leaving(form: Leaving, language: Language) -> Page:
    return Page(
        title=texts.text(language, "page.leave.title"),
        sentences=(texts.text(language, "page.leave.what"), texts.text(language, "page.leave.next")),
        form=Form(
            action=form.action,
            method=form.method,
            fields={name: value.get_secret_value() for name, value in form.fields},
            button=texts.text(language, "page.leave.button"),
            origins=form.origins,
        ),
        links=() if form.back is None else ((form.back, texts.text(language, "page.leave.stay")),),
    )
