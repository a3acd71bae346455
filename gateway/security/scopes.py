"""What a client key may be used for. A scope opens an operation; agencies (beside it) say whose resources it opens."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One permission. The value is what the operator types and what the REST description shows."""

    CITIZENS_VERIFY = "citizens:verify"
    """Ask whether a citizen matches (xác thực thông tin công dân)."""
    CITIZENS_LOOKUP = "citizens:lookup"
    """Read a citizen's record (tra cứu thông tin công dân)."""
    DOSSIERS_READ = "dossiers:read"
    """Follow dossiers (hồ sơ), and ask the national portal what it has of one."""
    DOSSIERS_WRITE = "dossiers:write"
    """Hand in dossiers and their progress (tiến độ xử lý) for the national portal."""
    SIGNINS_MAKE = "signins:make"
    """Let citizens sign in with VNeID, and learn who they are (đăng nhập bằng tài khoản định danh điện tử)."""
    SYSTEMS_READ = "systems:read"
    """See the state of the national systems as the gateway sees them."""
    SYSTEMS_OPERATE = "systems:operate"
    """Pause and resume a system, and test the connection to it."""
    DELIVERIES_READ = "deliveries:read"
    """See deliveries and what became of them."""
    DELIVERIES_OPERATE = "deliveries:operate"
    """Set deliveries going again, take them back, say what became of them."""
    PARTNER_WRITE = "partner:write"
    """Write to the synthetic partner of the mocks, where it is configured."""
    EVENTS_READ = "events:read"
    """Read the feed of events (sự kiện) of the key's agencies."""
    WEBHOOKS_MANAGE = "webhooks:manage"
    """Have events told to an address of one's own, by signed messages (webhook)."""
