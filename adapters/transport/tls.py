"""The TLS context: whom we trust, who we are, read anew when the files change.

A context is never changed once made: a new one takes its place, so that connections opened under the old one are not
reused (the pool keeps them apart by context) and run out. A file that cannot be used leaves the old context at work,
and the reason stands in `fault` until the files are right again.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any

from adapters.transport.wire import handshake_begins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.transport.settings import TransportSettings

_Stamp = tuple[tuple[int, int, int] | None, ...]


class UnusableCertificate(ValueError):
    """A certificate, key or authority file cannot be read or does not fit. Names the file, never its content."""


class _Context(ssl.SSLContext):
    """Tells when a handshake begins: nothing in asyncio does."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        handshake_begins()
        return super().wrap_bio(*args, **kwargs)


class TlsFiles:
    """Holds the context now in force and looks at the files again at most every `certificate_check` seconds.

    Raises `UnusableCertificate` when made with files that cannot be used.
    """

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        named = (
            settings.ca_file,
            settings.client_certificate_file,
            settings.client_key_file,
            settings.client_key_password_file,
        )
        self._files: tuple[Path, ...] = tuple(file for file in named if file is not None)
        self._stamp = self._look()
        self._next_look = 0.0
        self._context: ssl.SSLContext | None = _build(settings) if self._files else None
        self.fault: str | None = None
        self.reloaded = 0

    def context(self, now: float) -> ssl.SSLContext:
        """Return the context for a new exchange. `now` is monotonic."""
        if self._context is None:  # the system's authorities take a while to read: only for a partner that needs them
            self._context = _build(self._settings)
        if self._files and now >= self._next_look:
            self._next_look = now + self._settings.certificate_check
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._context

    def _reload(self) -> None:
        try:
            self._context = _build(self._settings)
        except UnusableCertificate as error:
            self.fault = str(error)
        else:
            self.fault = None
            self.reloaded += 1

    def _look(self) -> _Stamp:
        return tuple(_stamp(file) for file in self._files)


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - followed links included, as the reader will follow them
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _build(settings: TransportSettings) -> ssl.SSLContext:
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except OSError as error:
            raise UnusableCertificate(f"ca_file {settings.ca_file}: {_why(error)}") from None
    if settings.client_certificate_file is not None:
        try:
            context.load_cert_chain(
                settings.client_certificate_file, settings.client_key_file, password=_password(settings)
            )
        except OSError as error:
            files = f"client_certificate_file {settings.client_certificate_file} with its key"
            raise UnusableCertificate(f"{files}: {_why(error)}") from None
    return context


def _password(settings: TransportSettings) -> Callable[[], str]:
    def read() -> str:
        # Always answered, so that OpenSSL never asks on the terminal for the password of a key that has one.
        file = settings.client_key_password_file
        return "" if file is None else file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")

    return read


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a certificate or key").replace("_", " ").lower()
    return error.strerror or type(error).__name__
