"""What `docs/sign-ins.md` says of a browser on one's own machine, where everything is plain http: in a real one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.chromium import chromium, somebody
from tests.support.example import prepared
from tests.support.sign_in_front import AGENCY, PATIENCE, admitted
from tests.support.vneid import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Route

CLIENT = "Mau0H99XaThuNghiemMotCua0002"
SESSION = "b1946ac92492d2347c6235b4d2611184"


def yours(route: Route) -> None:
    """Be the vendor's page."""
    route.fulfill(status=200, content_type="text/html", body="<!doctype html><title>Phần mềm một cửa</title>")


def test_a_citizen_signs_in_over_plain_http_on_this_machine(tmp_path: Path) -> None:
    """With the example configuration, as the page says it: the cookie that wants TLS is kept at 127.0.0.1."""
    with prepared(tmp_path) as place:
        key = asyncio.run(admitted(place.store))
        gateway = place.elsewhere("http://127.0.0.1:8080")
        back = place.elsewhere("http://127.0.0.1:8000/dang-nhap")
        addresses = {
            "redirect_uris": [f"{gateway}/sign-ins/callback"],
            "post_logout_redirect_uris": [f"{gateway}/sign-ins/left"],
        }
        registered = {"verb": "register", "fields": addresses}
        assert place.world.admin("POST", f"world/vneid_client/{CLIENT}", registered).is_success
        citizen = place.world.people(limit=1)[0]
        headers = {"Authorization": f"Bearer {key}"}
        with (
            place.serving(),
            httpx.Client(base_url=gateway, headers=headers, timeout=PATIENCE, trust_env=False) as vendor,
            chromium({}) as browser,
            somebody(browser) as page,
        ):
            page.context.route(f"{back}?**", yours)
            purpose = {"agency": AGENCY.value, "procedure": "9.000001", "reason": "before_dossier"}
            wanted = {"purpose": purpose, "level": 2, "return_to": back, "session": SESSION}
            made: dict[str, Any] = vendor.post("/v1/sign-ins", json=wanted).json()
            page.goto(made["start_url"])
            page.click("#bca")
            page.fill("#so-dinh-danh", citizen["identity_number"])
            page.fill("#mat-khau", PASSWORD)
            page.click("#dang-nhap")
            page.click("#dong-y")
            page.wait_for_url(f"{back}?**")
            (code,) = parse_qs(urlsplit(page.url).query)["code"]
            cookies = page.context.cookies(gateway)
            assert any(one["name"].startswith("__Host-") and one["secure"] for one in cookies)
            claimed = vendor.post(f"/v1/sign-ins/{made['id']}/claim", json={"code": code, "session": SESSION}).json()
    assert (claimed["sufficient"], claimed["account"]["tech_id"]) == (True, citizen["account"])
