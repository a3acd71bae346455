from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from pydantic import SecretStr

from contracts.model import Kind
from contracts.texts import Language
from gateway.api.pages import browser
from gateway.api.pages.page import Form, Page, answer
from gateway.signins import Cookie, Go, Notice, Show
from gateway.signins import Form as Leaving

NASTY = "\"><script>alert('x')</script>&amp;"


class _Tags(HTMLParser):
    """Counts what stands in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")


def read(page: Page, language: Language = Language.VI) -> tuple[_Tags, str, str]:
    """Return a page taken apart, its text and its policy."""
    made = answer(page, language, 200)
    text = bytes(made.body).decode()
    return _Tags(text), text, made.headers["content-security-policy"]


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("notice", Notice)
def test_every_page_is_plain_and_whole(notice: Notice, language: Language) -> None:
    """One heading, one landmark, a language, no script, nothing from elsewhere, and a sentence on what to do."""
    show = Show(
        notice=notice,
        reason="read_timeout",
        kind=Kind.UNKNOWN_OUTCOME,
        back="https://a.example/x",
        again="https://b.example/y",
    )
    tags, text, policy = read(browser._shown(show, language, "01JZ0000000000000000000000"), language)
    assert tags.tags.count("h1") == tags.tags.count("main") == tags.tags.count("title") == 1
    assert tags.attributes["lang"] == [language.value]
    assert not {"script", "img", "link", "iframe", "base"} & set(tags.tags)
    assert not {name for name in tags.attributes if name.startswith("on") or name in {"src", "style"}}
    assert tags.attributes["href"] == ["https://b.example/y", "https://a.example/x"]
    assert "01JZ0000000000000000000000" in text
    assert policy.split("; ")[2:] == ["form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]
    assert notice in browser.STATUS


def test_the_policy_allows_the_style_that_is_there_and_no_other() -> None:
    """Its hash is that of the style on the page."""
    _, text, policy = read(Page(title="x", sentences=("y",)))
    style = re.search(r"<style>(.*?)</style>", text)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")


def test_nothing_on_a_page_gets_out_of_its_place() -> None:
    """Titles, sentences, addresses and form fields are escaped, whatever is in them."""
    form = Form(action=NASTY, method="POST", fields={NASTY: NASTY}, button=NASTY, origins=("https://a.example",))
    tags, text, policy = read(Page(title=NASTY, sentences=(NASTY,), links=((NASTY, NASTY),), form=form, small=NASTY))
    assert "script" not in tags.tags
    assert tags.attributes["value"] == tags.attributes["name"][1:] == tags.attributes["action"] == [NASTY]
    assert "<script" not in text
    assert "form-action 'self' https://a.example; " in policy


def test_a_token_stands_in_the_form_and_nowhere_else() -> None:
    """The page of a log-out holds it once, in a hidden field."""
    form = Leaving(
        action="https://sso.example/logout",
        method="POST",
        fields=(("id_token_hint", SecretStr("bi.mat.lam")),),
        origins=(),
        back=None,
    )
    made = browser._answered(form, Language.VI, "x")
    text = bytes(made.body).decode()
    assert text.count("bi.mat.lam") == 1
    assert '<input type="hidden" name="id_token_hint" value="bi.mat.lam">' in text
    assert "bi.mat.lam" not in repr(form) + repr(made.headers)


def test_a_browser_is_sent_on_with_a_cookie_that_nobody_else_can_plant() -> None:
    """For this host alone, over TLS, unseen by scripts, not in frames; and nobody learns where it came from."""
    cookie = Cookie(name="__Host-sign-in-1", value="v", lasts=60)
    made = browser._answered(Go("https://sso.example/auth?x=1", cookie), Language.VI, "x")
    assert made.status_code == 303
    assert made.headers["set-cookie"] == "__Host-sign-in-1=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"
    assert made.headers["referrer-policy"] == "no-referrer"
    assert made.headers["cache-control"] == "no-store"
    assert "v" not in repr(cookie).replace("value", "")
