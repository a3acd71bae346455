from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx

from tests.support.hosting import URL, MountedAsync
from tests.support.portal import ACCOUNTS, Portal, lines
from tests.support.portal_adapter import BASE, PLAIN
from tests.support.portal_desk import body
from tests.support.signins import AGENCY, bench

if TYPE_CHECKING:
    from pathlib import Path

CODE: Final = "H99.5-260302-00001"
USERNAME: Final = "dvc_h99"
PORTAL: Final[dict[str, Any]] = {
    "adapter": {
        "endpoint": f"{URL}/portal",
        "plain_http": True,
        "account": {"username": USERNAME, "secret": ACCOUNTS[USERNAME][1]},
        "attachment_bases": [BASE],
    }
}


async def test_a_citizen_hands_in_under_the_account_that_they_signed_in_with(tmp_path: Path) -> None:
    """The TechID of a sign-in is the one that the portal has for that citizen, and a dossier goes up under it."""
    async with bench(tmp_path, beside={"portal": PORTAL}) as one:
        who = await one.approves()
        account = (await one.claim(await one.signed_in())).json()["account"]
        assert account["tech_id"] == who["account"]

        purpose = {"agency": AGENCY, "procedure": "9.999001", "officer": "canbo.thu01", "dossier": CODE}
        dossier = {**body(PLAIN), "owner": account["name"], "owner_account": account["tech_id"]}
        headers = {"Idempotency-Key": "ho-so-1", "Prefer": "wait=20"}
        done = await one.vendor.put(
            f"/v1/dossiers/{CODE}", json={"purpose": purpose, "dossier": dossier}, headers=headers
        )
        assert done.json()["state"] == "settled", done.text

        kept = (await one.told("GET", f"world/dossier/{CODE}"))["fields"]["content"]
        portal = Portal(httpx.AsyncClient(transport=MountedAsync(one.mocks)))
        await portal.log_in()
        (known,) = lines((await portal.tech_id(account["identity_number"])).json())
        assert kept["MaDoiTuong"] == known["TECHNICALID"] == account["tech_id"]
