"""A real browser without a screen: Chromium, driven by Playwright. Every name leads it to this machine or nowhere.

While it runs, this thread has an event loop that is not ours: what needs `asyncio.run` goes before it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, ConsoleMessage, Page

VARIABLE: Final = "LIENTHONG_CHROMIUM"
PATIENCE_MS: Final = 30_000
STATUS: Final = "Failed to load resource: the server responded with a status of "


@contextmanager
def chromium(hosts: Mapping[str, int]) -> Iterator[Browser]:
    """Run the browser for as long as the block takes; `hosts` are the names that it finds, and their ports here."""
    program = os.environ.get(VARIABLE) or shutil.which("chromium")
    assert program, f"there is no Chromium; {VARIABLE} may name one"
    known = [f"MAP {host} 127.0.0.1:{port}" for host, port in hosts.items()]
    rules = ", ".join((*known, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"))
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=[f"--host-resolver-rules={rules}"]) as browser,
    ):
        yield browser


@contextmanager
def somebody(browser: Browser) -> Iterator[Page]:
    """Give somebody a browser with no memory.

    It may have nothing to complain of, such as a breach of a page's policy, but for a status, which a test looks at.
    """
    with browser.new_context(locale="vi-VN", ignore_https_errors=True) as context:
        context.set_default_timeout(PATIENCE_MS)
        complaints: list[str] = []

        def complained(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(STATUS):
                complaints.append(message.text)

        context.on("console", complained)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context.new_page()
        assert not complaints, complaints
