"""TLS both ways: whom we trust, who we are, what a broken handshake becomes, and files that change under way."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
import uvloop

from adapters.transport import Carrier, TransportSettings, UnusableCertificate
from contracts.model import Acted, Kind, Layer, Phase
from tests.support.exchanges import asking, exchange, failing
from tests.support.rawpeer import OK, Link, RawPeer, answering, serve

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = {"connect": 0.5, "tls": 0.5, "first_byte": 0.5, "read": 0.5, "certificate_check": 1e-9}
PASSWORD = "mật khẩu của khóa"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that both sides trust."""
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger() -> trustme.CA:
    """Return an authority that nobody trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Write the trusted authority to a file."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


def _server(authority: trustme.CA, *hosts: str, clients: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(hosts or ("localhost",))).configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _settings(ca_file: Path, **more: object) -> TransportSettings:
    return TransportSettings.model_validate({**LIMITS, "ca_file": ca_file, **more})


def _own_certificate(authority: trustme.CA, folder: Path) -> dict[str, Path]:
    issued = authority.issue_cert("gateway.example")
    certificate, key = folder / "own.pem", folder / "own.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    return {"client_certificate_file": certificate, "client_key_file": key}


def _damage(file: Path, content: str | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.write_text(content)


async def test_every_phase_is_timed(authority: trustme.CA, ca_file: Path) -> None:
    """A fresh TLS exchange leaves a time for each of the six phases; a reused one only for what happened."""
    with RawPeer(serve, tls=_server(authority)) as peer:
        async with Carrier(_settings(ca_file)) as carrier:
            first, second = exchange(), exchange()
            await asking(carrier, peer.url, on=first)
            await asking(carrier, peer.url, on=second)
    assert set(first.phases) == set(Phase)
    assert all(seconds >= 0 for seconds in first.phases.values())
    assert set(second.phases) == {Phase.SEND, Phase.FIRST_BYTE, Phase.READ}
    assert (first.reused, second.reused, peer.connections) == (False, True, 1)
    assert first.address == f"127.0.0.1:{peer.port}"


def test_every_phase_is_timed_on_the_loop_that_serves(authority: trustme.CA, ca_file: Path) -> None:
    """On uvloop, too, the handshake is told apart from the connection."""

    async def run() -> None:
        with RawPeer(serve, tls=_server(authority)) as peer:
            async with Carrier(_settings(ca_file)) as carrier:
                on = exchange()
                await asking(carrier, peer.url, on=on)
                assert set(on.phases) == set(Phase)

        async with Carrier(_settings(ca_file)) as carrier:
            with RawPeer(_hang) as peer:
                url = peer.url.replace("http://127.0.0.1", "https://localhost")
                assert (await failing(carrier, url)).reason == "tls_timeout"

    uvloop.run(run())


@pytest.mark.parametrize("hosts", [("localhost",), ("other.example",)], ids=["unknown authority", "other host"])
async def test_a_server_that_is_not_trusted(
    hosts: tuple[str, ...], authority: trustme.CA, stranger: trustme.CA, ca_file: Path
) -> None:
    """No request is sent to a server whose certificate is from elsewhere or for another host."""
    issuer = stranger if hosts == ("localhost",) else authority
    with RawPeer(serve, tls=_server(issuer, *hosts)) as peer:
        async with Carrier(_settings(ca_file)) as carrier:
            failure = await failing(carrier, peer.url)
    assert (failure.kind, failure.layer, failure.reason) == (Kind.NOT_SENT, Layer.NETWORK, "certificate_not_trusted")
    assert failure.may_have_acted is Acted.NO
    assert peer.requests == []


def _hang(link: Link) -> None:
    link.hang()


def _reset_in_handshake(link: Link) -> None:
    link.wait_for_bytes()
    link.reset()


def _close_in_handshake(link: Link) -> None:
    link.wait_for_bytes()
    link.close()


def _speak_plainly(link: Link) -> None:
    link.wait_for_bytes()
    link.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    link.close()


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (_hang, "tls_timeout"),
        (_reset_in_handshake, "tls_failed"),
        (_close_in_handshake, "tls_failed"),
        (_speak_plainly, "tls_failed"),
    ],
)
async def test_a_handshake_that_fails(handler: object, reason: str, ca_file: Path) -> None:
    """Whatever goes wrong in the handshake, nothing of the request left."""
    with RawPeer(handler) as peer:  # type: ignore[arg-type]
        async with Carrier(_settings(ca_file)) as carrier:
            on = exchange()
            failure = await failing(carrier, peer.url.replace("http://127.0.0.1", "https://localhost"), on=on)
    assert (failure.kind, failure.layer, failure.reason) == (Kind.NOT_SENT, Layer.NETWORK, reason)
    assert failure.may_have_acted is Acted.NO
    assert Phase.TLS in on.phases
    assert Phase.SEND not in on.phases


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_we_show_our_certificate(
    version: ssl.TLSVersion, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """With a certificate of ours, a server that asks for one answers."""
    context = _server(authority, clients=authority)
    context.maximum_version = version
    with RawPeer(serve, tls=context) as peer:
        async with Carrier(_settings(ca_file, **_own_certificate(authority, tmp_path))) as carrier:
            assert (await asking(carrier, peer.url)).content == b"ok"


@pytest.mark.parametrize("own", ["none", "stranger"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_our_certificate_is_refused(  # noqa: PLR0917 - fixtures
    own: str, version: ssl.TLSVersion, authority: trustme.CA, stranger: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """A server that refuses our certificate, or wants one, refuses a credential; it never saw the request.

    Only TLS 1.2 has no word of its own for a missing certificate: there it is a handshake that failed.
    """
    context = _server(authority, clients=authority)
    context.maximum_version = version
    more = _own_certificate(stranger, tmp_path) if own == "stranger" else {}
    with RawPeer(serve, tls=context) as peer:
        async with Carrier(_settings(ca_file, **more)) as carrier:
            failure = await failing(carrier, peer.url)
    wordless = own == "none" and version is ssl.TLSVersion.TLSv1_2
    assert (failure.kind, failure.layer, failure.reason) == (
        (Kind.NOT_SENT, Layer.NETWORK, "tls_failed")
        if wordless
        else (Kind.CREDENTIAL_REFUSED, Layer.SYSTEM, "certificate_refused")
    )
    assert failure.may_have_acted is Acted.NO
    assert peer.requests == []


async def test_reset_inside_tls_is_unknown(authority: trustme.CA, ca_file: Path) -> None:
    """After the handshake a lost connection is as unknown as without TLS, fresh or reused."""

    def handler(link: Link) -> None:
        link.warm_up(1)
        link.request()
        link.reset()

    with RawPeer(handler, answering(b""), tls=_server(authority)) as peer:
        async with Carrier(_settings(ca_file)) as carrier:
            await asking(carrier, peer.url)
            for reused in (True, False):
                on = exchange()
                failure = await failing(carrier, peer.url, method="GET", content=b"", on=on)
                assert (failure.kind, failure.may_have_acted, on.reused) == (Kind.UNKNOWN_OUTCOME, Acted.MAYBE, reused)


async def test_changed_files_are_taken_into_use(authority: trustme.CA, stranger: trustme.CA, ca_file: Path) -> None:
    """A new authority file counts for the next exchange; a connection made under the old one is not used again."""
    with RawPeer(serve, tls=_server(authority)) as peer:
        async with Carrier(_settings(ca_file)) as carrier:
            await asking(carrier, peer.url)
            fresh = ca_file.with_name("new.pem")
            stranger.cert_pem.write_to_path(str(fresh))
            fresh.replace(ca_file)
            failure = await failing(carrier, peer.url)
            assert failure.reason == "certificate_not_trusted"
            authority.cert_pem.write_to_path(str(ca_file))
            on = exchange()
            await asking(carrier, peer.url, on=on)
            assert on.reused is False
            assert carrier.certificates_reloaded == 2
            assert carrier.certificate_fault is None
    assert peer.connections == 3


async def test_our_own_certificate_is_renewed(
    authority: trustme.CA, stranger: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """A client certificate that the partner refuses is replaced on disk, and the next exchange shows the new one."""
    files = _own_certificate(stranger, tmp_path)
    with RawPeer(serve, tls=_server(authority, clients=authority)) as peer:
        async with Carrier(_settings(ca_file, **files)) as carrier:
            assert (await failing(carrier, peer.url)).reason == "certificate_refused"
            _own_certificate(authority, tmp_path)
            assert (await asking(carrier, peer.url)).content == b"ok"


@pytest.mark.parametrize("damage", ["not a certificate", None], ids=["broken", "gone"])
async def test_a_broken_file_keeps_the_old_context_at_work(
    damage: str | None, authority: trustme.CA, ca_file: Path
) -> None:
    """A file that cannot be used is a fact to be seen, not an outage; mending it clears the fact."""
    with RawPeer(serve, tls=_server(authority)) as peer:
        async with Carrier(_settings(ca_file)) as carrier:
            await asking(carrier, peer.url)
            _damage(ca_file, damage)
            on = exchange()
            assert (await asking(carrier, peer.url, on=on)).content == b"ok"
            assert on.reused is True
            assert str(ca_file) in (carrier.certificate_fault or "")
            authority.cert_pem.write_to_path(str(ca_file))
            await asking(carrier, peer.url)
            assert carrier.certificate_fault is None
            assert carrier.certificates_reloaded == 1


def test_broken_files_at_the_start(authority: trustme.CA, stranger: trustme.CA, tmp_path: Path, ca_file: Path) -> None:
    """A carrier is not made with files that cannot be used, and says which."""
    files = _own_certificate(authority, tmp_path)
    stranger.issue_cert("gateway.example").private_key_pem.write_to_path(str(files["client_key_file"]))
    with pytest.raises(UnusableCertificate, match=r"own\.pem.*key values mismatch"):
        Carrier(_settings(ca_file, **files))
    with pytest.raises(UnusableCertificate, match="No such file"):
        Carrier(_settings(tmp_path / "absent.pem"))


async def test_a_key_with_a_password(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    """The password of our key is read from its file; without it the carrier refuses to start instead of asking."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only here

    files = _own_certificate(authority, tmp_path)
    key = serialization.load_pem_private_key(files["client_key_file"].read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSWORD.encode()),
    )
    files["client_key_file"].write_bytes(locked)
    with pytest.raises(UnusableCertificate):
        Carrier(_settings(ca_file, **files))
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD + os.linesep, encoding="utf-8")
    with RawPeer(serve, tls=_server(authority, clients=authority)) as peer:
        async with Carrier(_settings(ca_file, **files, client_key_password_file=secret)) as carrier:
            assert (await asking(carrier, peer.url)).content == OK[-2:]
