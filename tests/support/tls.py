"""An authority that only the tests trust, and a certificate of it for names that lead to this machine."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Two PEM files: the authority; a certificate with its chain and its key."""

    authority: Path
    certificate: Path

    @classmethod
    def made(cls, folder: Path, *names: str) -> Place:
        """Make both in a folder. The certificate is for 127.0.0.1 as well."""
        authority = trustme.CA()
        place = cls(folder / "authority.pem", folder / "certificate.pem")
        authority.cert_pem.write_to_path(place.authority)
        authority.issue_cert("127.0.0.1", *names).private_key_and_cert_chain_pem.write_to_path(place.certificate)
        return place

    def trusting(self) -> ssl.SSLContext:
        """Return the context of somebody who trusts the authority and nobody else."""
        return ssl.create_default_context(cafile=self.authority)

    def serving(self) -> ssl.SSLContext:
        """Return the context of a server that shows the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context
