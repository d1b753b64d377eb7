"""The WebSocket shell over TLS: only vendors whose certificate holds."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mds_engine.errors import Unavailable
from mds_engine.sources.endpoints import Endpoints
from mds_engine.sources.websocket import WebSocketShell
from websockets.asyncio.server import ServerConnection, serve


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS with a certificate of its own making for `name`, and that certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    try:
        for_whom: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        for_whom = x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([for_whom]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


async def greet(connection: ServerConnection) -> None:
    await connection.send("hello")
    await connection.close(1000, "and goodbye")


async def test_a_trusted_vendor_is_heard_over_tls(context, tmp_path, monkeypatch) -> None:
    tls, certificate = certified(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    heard: list[str | bytes] = []
    async with serve(greet, "127.0.0.1", 0, ssl=tls) as server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stream = WebSocketShell(context.clock, Endpoints(context, (url,)), timeout_s=5.0)
        await stream.open()
        with pytest.raises(Unavailable, match="and goodbye"):
            await stream.pump(heard.append)
        await stream.close()
    assert heard == ["hello"]


@pytest.mark.parametrize(
    ("trusted", "name"), [(False, "127.0.0.1"), (True, "elsewhere.test")], ids=["unknown", "of-another-host"]
)
async def test_a_certificate_that_proves_nothing_is_not_trusted(
    context, tmp_path, monkeypatch, trusted: bool, name: str
) -> None:
    tls, certificate = certified(tmp_path, name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with serve(greet, "127.0.0.1", 0, ssl=tls) as server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stream = WebSocketShell(context.clock, Endpoints(context, (url,)), timeout_s=5.0)
        with pytest.raises(Unavailable, match="could not be trusted"):
            await stream.open()
