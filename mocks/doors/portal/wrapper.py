"""The same services through a provincial platform's wrapper: an address for each, no session, bare bodies.

The platform has a session of its own with the portal; who its callers are is not looked at. Which addresses are seen,
and which are made after them, stands in LIMITS.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mocks.asgi import Answer, json_answer
from mocks.doors.portal.fields import AGENCY, CODE, Dossier, Step, Verdict
from mocks.doors.portal.query import (
    ASKED,
    LONGEST_ID,
    Query,
    content_of,
    item,
    read_request,
    step_of,
    text,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mocks.asgi import Request
    from mocks.doors.portal.desk import Desk

HERE, THERE = "/api/SynsTTHCC", "/KetNoiMotCuaQuocGia"
PLACES = (HERE, THERE)
ROUTES = {
    ("POST", f"{HERE}/DongBoHoSoMC"): "create",
    ("POST", f"{HERE}/ThemMoi"): "create",
    ("POST", f"{HERE}/CapNhat"): "update",
    ("POST", f"{HERE}/CapNhatTienDoHoSoMC"): "progress",
    ("POST", f"{THERE}/DongBoTrangThaiHoSoKM"): "verdict",
    ("GET", f"{THERE}/TraCuuHoSo"): "look_up",
    ("GET", f"{THERE}/LayThuTuc"): "procedure",
    ("GET", f"{THERE}/LayDanhSachTTHC"): "procedures",
}
IN_QUERY = f"{HERE}/DongBoHoSoMC"
"""Where `isUpdating` in the query tells an update from a create."""
SHAPES: dict[str, type[BaseModel]] = {"create": Dossier, "update": Dossier, "progress": Step, "verdict": Verdict}


def read_any(request: Request, path: str) -> Query:
    """Return what a request asks, whichever way it comes. Never fails."""
    rest = request.path.removeprefix(path)
    return (
        _read(request, rest) if rest.startswith(tuple(f"{place}/" for place in PLACES)) else read_request(request, path)
    )


def told(answer: Answer, desk: Desk) -> Answer:
    """Return the answer to a look-up as the wrapper passes it on."""
    way = desk.site.dialects.wrapper_reads
    if not desk.query.wrapped or way == "plain":
        return answer
    inner = answer.body.decode()
    return json_answer({"message": inner} if way == "message" else inner, answer.status)


def _read(request: Request, rest: str) -> Query:
    operation = ROUTES.get((request.method, rest))
    given = request.parameters
    basis = Query(
        wrapped=True,
        known=operation is not None,
        service=rest.rpartition("/")[2],
        agency=text(given.get("MaDinhDanhDV"), AGENCY) or None,
        request_id=(request.header("x-request-id") or "")[:LONGEST_ID] or None,
    )
    if operation is None:
        return basis
    wrong = [("MaDinhDanhDV", "the code of a unit")] if given.get("MaDinhDanhDV") and not basis.agency else []
    if rest == IN_QUERY:
        if given.get("isUpdating") not in ("True", "False"):
            wrong.append(("isUpdating", "True or False"))
        operation = "update" if given.get("isUpdating") == "True" else "create"
    query = replace(basis, operation=operation)
    if operation not in SHAPES:
        return _asking(query, given, wrong)
    return _writing(query, content_of(request), wrong)


def _asking(query: Query, given: dict[str, str], wrong: list[tuple[str, str]]) -> Query:
    name = ASKED.get(query.operation)
    asked = text(given.get(name), CODE) if name else ""
    if name and not asked:
        wrong.append((name, "what is asked about"))
    return replace(query, code=asked, wrong=tuple(wrong))


def _writing(query: Query, content: Any, wrong: list[tuple[str, str]]) -> Query:
    one = query.operation == "verdict"
    if not isinstance(content, dict if one else list):
        return replace(query, readable=False)
    contents: list[Any] = [content] if one else list(content)
    if not contents:
        return replace(query, wrong=(*wrong, ("data", "a list that is not empty")))
    first = contents[0] if isinstance(contents[0], dict) else {}
    return replace(
        query,
        items=tuple(item(SHAPES[query.operation], each) for each in contents),
        code=text(first.get("MaHoSo"), CODE),
        step=step_of(first) if query.operation == "progress" else "",
        wrong=tuple(wrong),
    )
