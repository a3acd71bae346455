"""The pages that a citizen meets, in plain HTML with forms: they work in any browser, without scripts.

Everything that comes from outside is escaped here. Decides nothing.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from mocks.asgi import Answer
from mocks.doors.vneid import wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HTML: Final = "text/html; charset=utf-8"
POLICY: Final = (
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; frame-src *; base-uri 'none'",
)
STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}"
    "label,input,select,button{display:block;font:inherit;margin:.3rem 0}"
    "section{border:1px solid;padding:0 1rem 1rem;margin:1rem 0}"
)
POLL_SECONDS: Final = 2


def page(title: str, content: str, status: int = 200, head: str = "", *headers: tuple[str, str]) -> Answer:
    """Return a page."""
    body = (
        f'<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style>{head}</head>\n<body><main><h1>{escape(title)}</h1>\n{content}\n"
        f"<p><small>Trang giả lập để kiểm thử; không phải trang của cơ quan nhà nước.</small></p>"
        "</main></body></html>\n"
    )
    return Answer(status, body.encode("utf-8", "replace"), HTML, (*wire.UNKEPT, POLICY, *headers))


def message(text: str, status: int = 200, facts: Mapping[str, Iterable[str]] | None = None) -> Answer:
    """Return a page that says one thing and ends there. No real one tells the `facts`: they are for developers."""
    lines = "".join(
        f"<li>{escape(name)}: {', '.join(f'<code>{escape(one)}</code>' for one in told) or '–'}</li>"
        for name, told in (facts or {}).items()
    )
    return page(text, f"<p>Bạn có thể đóng trang này.</p>{f'<ul>{lines}</ul>' if lines else ''}", status)


def tiles(title: str, action: str, sign_in: str) -> Answer:
    """Return A1's page, which asks for the identity provider."""
    form = _form(
        action,
        {"sessionDataKey": sign_in},
        '<button id="bca" name="idp" value="BCA">Tài khoản định danh điện tử (VNeID) do Bộ Công an cấp</button>'
        '<button id="huy" name="idp" value="cancel">Hủy</button>',
    )
    return page(title, form)


def sign_in_page(title: str, action: str, sign_in: str, accounts: Iterable[tuple[str, str]], note: str = "") -> Answer:
    """Return the page on which a citizen says who they are: number and password, or the QR code."""
    chosen = "".join(f'<option value="{escape(name)}">{escape(text)}</option>' for name, text in accounts)
    who = (
        '<label>Số định danh cá nhân <input id="{0}so-dinh-danh" name="number" inputmode="numeric" autocomplete="off">'
        '</label><label>Loại tài khoản <select id="{0}tai-khoan" name="account">{1}</select></label>'
    )
    password = _form(
        action,
        {"session_code": sign_in},
        who.format("", chosen)
        + '<label>Mật khẩu <input id="mat-khau" name="password" type="password" autocomplete="off"></label>'
        '<button id="dang-nhap" name="action" value="login">Đăng nhập</button>'
        '<button id="tu-choi" name="action" value="deny">Hủy</button>',
    )
    scanning = _form(
        action,
        {"session_code": sign_in},
        who.format("qr-", chosen)
        + '<button id="quet-qr" name="action" value="scan">Quét mã QR bằng ứng dụng VNeID (giả lập)</button>'
        '<button id="tai-lai-qr" name="action" value="renew_qr">Tải lại mã QR</button>',
    )
    said = f'<p role="alert" id="thong-bao"><strong>{escape(note)}</strong></p>' if note else ""
    return page(title, f"{said}{password}<section><h2>Mã QR</h2>{scanning}</section>")


def confirming(title: str, action: str, address: str, sign_in: str) -> Answer:
    """Return the page that waits for the app, and the telephone beside it; it looks again by itself."""
    phone = _form(
        action,
        {"session_code": sign_in},
        '<button id="dong-y" name="action" value="approve">Đồng ý</button>'
        '<button id="tu-choi" name="action" value="deny">Từ chối</button>',
    )
    again = f'<meta http-equiv="refresh" content="{POLL_SECONDS}; url={escape(address)}">'
    content = (
        '<p id="cho-xac-nhan">Mở ứng dụng VNeID trên điện thoại và xác nhận đăng nhập.</p>'
        f"<section><h2>Điện thoại (giả lập)</h2>{phone}</section>"
    )
    return page(title, content, 200, again)


def leaving(title: str, action: str, hidden: dict[str, str]) -> Answer:
    """Return the page that asks whether to log out."""
    return page(title, _form(action, hidden, '<button id="dang-xuat" name="confirmed" value="yes">Đăng xuất</button>'))


def spinner() -> Answer:
    """Return a page that turns and turns."""
    return page(
        "Đang xử lý…", '<p id="dang-xu-ly" aria-busy="true">Vui lòng chờ trong giây lát.</p><progress></progress>'
    )


def twice(address: str) -> Answer:
    """Return a page that takes the browser to an address twice: in a frame, then as a whole."""
    frame = f'<iframe src="{escape(address)}" title="Đang chuyển tiếp" hidden></iframe>'
    link = f'<p><a id="tiep-tuc" href="{escape(address)}">Tiếp tục</a></p>'
    again = f'<meta http-equiv="refresh" content="1; url={escape(address)}">'
    return page("Đang chuyển tiếp…", frame + link, 200, again)


def person(title: str, told: dict[str, object]) -> Answer:
    """Return a page with what is known of somebody."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in told.items())
    return page(title, f"<dl>{lines}</dl>")


def _form(action: str, hidden: dict[str, str], content: str) -> str:
    kept = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in hidden.items())
    return f'<form method="post" action="{escape(action)}">{kept}{content}</form>'
