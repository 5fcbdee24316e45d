"""What a server's certificate says of itself. The bytes are hostile: whatever is wrong with them becomes a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from leadline.model.service import MOST_NAMES, Certificate

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509

MOST_CHARACTERS = 1024
_LONGEST_NAME = 255
# Distinct certificates kept: one server shows the same one on each of many connections.
_KEPT = 256

Value = TypeVar("Value")


class _Digested:
    """A certificate's bytes that are equal and hashed by their digest, so that no cache keeps the bytes twice."""

    __slots__ = ("der", "sha256")

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.sha256 = hashlib.sha256(der).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Digested) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)


def read_certificate(der: bytes) -> Certificate:
    """The facts of one X.509 certificate (RFC 5280), DER encoded. Never raises; see ``Certificate.problem``.

    Names are at most ``MOST_NAMES``, texts at most ``MOST_CHARACTERS`` long, without control characters. Nothing is
    verified: ``self_signed`` means that issuer and subject are the same name.
    """
    digested = _Digested(der)
    made = _read(digested)
    digested.der = b""
    return made


@lru_cache(maxsize=_KEPT)
def _read(digested: _Digested) -> Certificate:
    try:
        from cryptography import x509

        return _facts(x509.load_der_x509_certificate(digested.der), digested.sha256)
    except BaseException as error:
        # A parser of foreign bytes may fail in ways that it does not document; a panic of its Rust part is not even
        # an Exception.
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        return Certificate(sha256=digested.sha256, problem=clean(f"{type(error).__name__}: {error}", 200))


def _facts(certificate: x509.Certificate, sha256: str) -> Certificate:
    subject, issuer = certificate.subject, certificate.issuer
    return Certificate(
        subject=clean(subject.rfc4514_string()),
        issuer=clean(issuer.rfc4514_string()),
        names=_names(certificate),
        not_before=_attempt(lambda: _seconds(certificate.not_valid_before_utc), None),
        not_after=_attempt(lambda: _seconds(certificate.not_valid_after_utc), None),
        self_signed=subject == issuer,
        sha256=sha256,
    )


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """RFC 6125 6.4.4: the common name counts only where there are no alternative names."""
    nothing: list[str] = []
    found = _attempt(lambda: _alternative_names(certificate), nothing)
    found = found or _attempt(lambda: _common_names(certificate), nothing)
    cleaned = (clean(name, _LONGEST_NAME) for name in found[: 4 * MOST_NAMES])
    return tuple(dict.fromkeys(name for name in cleaned if name))[:MOST_NAMES]


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(one.value) for one in extension.value if isinstance(one, x509.DNSName | x509.IPAddress)]


def _common_names(certificate: x509.Certificate) -> list[str]:
    from cryptography.x509.oid import NameOID

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [one.value if isinstance(one.value, str) else one.value.decode("latin-1") for one in found]


def _attempt(question: Callable[[], Value], otherwise: Value) -> Value:
    """One part of a certificate may be broken while the others can be read."""
    try:
        return question()
    except Exception:  # noqa: BLE001 - see _read
        return otherwise


def clean(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""At most ``most`` characters, those that are not printable as ``\XX`` of their UTF-8 bytes (RFC 4514 2.4)."""
    text = text[:most]
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else "".join(f"\\{byte:02X}" for byte in each.encode("utf-8", "surrogatepass"))
        for each in text
    )[:most]
