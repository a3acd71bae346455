"""What a citizen's browser meets: addresses that send it on, and plain pages where there is nowhere to send it.

No script, nothing from elsewhere, Vietnamese unless the browser asks for English. `page` writes one, `browser` has the
routes.
"""

from gateway.api.pages.browser import routes

__all__ = ["routes"]
