"""Certificates for servers of tests, made on the spot: good, expired, of many names."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """``der`` of a certificate, and ``pem``: a file with it and its key."""

    der: bytes
    pem: str


@cache
def make_identity(
    common_name: str = "host.example", names: Sequence[str] = ("host.example",), *, issuer: str = "",
    first: datetime = FIRST, last: datetime = LAST, key_type: str = "ec", padding: int = 0,
) -> Identity:  # fmt: skip
    """A certificate of ``common_name`` with alternative ``names`` (and addresses), by itself or by ``issuer``.

    ``padding``: bytes of a meaningless extension, for certificates that are much too large.
    """
    key = ec.generate_private_key(ec.SECP256R1()) if key_type == "ec" else rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    by = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, issuer)]) if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(first)
        .not_valid_after(last)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)
    if padding:
        unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), bytes(padding))
        builder = builder.add_extension(unknown, False)
    made = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with tempfile.NamedTemporaryFile("wb", suffix=".pem", delete=False) as file:
        file.write(private + made.public_bytes(serialization.Encoding.PEM))
    return Identity(made.public_bytes(serialization.Encoding.DER), file.name)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def server_context(
    identity: Identity | None = None, version: ssl.TLSVersion | None = None, ciphers: str = "ALL:@SECLEVEL=0"
) -> ssl.SSLContext:
    """A server that speaks one ``version`` only (all, without), however old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain((identity or make_identity()).pem)
    context.set_ciphers(ciphers)
    if version is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context


def forget(identity: Identity) -> None:
    """Take its file away."""
    Path(identity.pem).unlink(missing_ok=True)
