"""The client's side of TLS as a pure layer over bytes: no socket, no clock, and no opinion about what it meets.

A scanner wants to know what a server speaks, not whether it may be trusted: every version that this OpenSSL has, every
suite, any certificate.
"""

from __future__ import annotations

import errno
import re
import ssl
from dataclasses import field
from functools import cache

from leadline.model.quick_dataclass import dataclass
from leadline.model.service import TlsFacts
from leadline.net.certificate import read_certificate

# What a server may send before its handshake is finished. OpenSSL itself takes chains of up to 100 KiB.
MOST_HANDSHAKE = 256 * 1024
_RECORD = 16_384
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_NAME = 253
# Not in Python 3.11's ssl: SSL_OP_LEGACY_SERVER_CONNECT, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION and
# SSL_OP_TLSEXT_PADDING (some old load balancers hang on greetings of 256 to 511 bytes, RFC 7685).
_OPTIONS = 0x4 | 0x40000 | 0x10
# Whoever authenticates nobody or encrypts nothing comes last: offered, not preferred. The others need shared secrets.
_CIPHERS = "ALL:COMPLEMENTOFALL:!PSK:!SRP:+aNULL:+eNULL:@SECLEVEL=0"


@cache
def tolerant_context() -> ssl.SSLContext:
    """One for all connections. No session is kept: every handshake shows the certificate as to a stranger."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.options |= _OPTIONS
    context.set_ciphers(_CIPHERS)
    return context


def server_name(name: str) -> str:
    """``name`` as it may be sent as SNI (RFC 6066 3): a DNS name without its final dot, ``''`` for anything else.

    Addresses, and what some resolvers take for one (``127.1``), are never sent.
    """
    if len(name) > _LONGEST_NAME + 1:
        return ""
    try:
        name = name.removesuffix(".").encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    labels = name.split(".")
    named = len(name) <= _LONGEST_NAME and all(_LABEL.fullmatch(label) for label in labels)
    return name if named and not labels[-1].isdecimal() and not labels[-1].startswith("0x") else ""


@dataclass(slots=True)
class TlsStep:
    """What some received bytes led to, in this order: the handshake's end, plain bytes, the end of the connection.

    ``error``: 0 after close_notify, else ``EPROTO`` or ``EMSGSIZE`` with OpenSSL's words in ``message``.
    """

    opened: TlsFacts | None = None
    data: bytearray = field(default_factory=bytearray)
    ended: bool = False
    error: int = 0
    message: str = ""


class TlsLayer:
    """One TLS connection. ``outgoing`` is to be sent after every other call."""

    def __init__(self, name: str = "") -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = tolerant_context().wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name(name) or None
        )
        self._shaken = False
        self._arrived = 0
        self._plain = bytearray()

    def begin(self) -> TlsStep:
        """Makes the first message."""
        return self.receive(b"")

    def outgoing(self) -> bytes:
        """Bytes for the other side, taken once."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def receive(self, data: bytes) -> TlsStep:
        """Take bytes of the other side."""
        step = TlsStep()
        self._incoming.write(data)
        try:
            if not self._shaken:
                self._arrived += len(data)
                self._object.do_handshake()
                self._shaken = True
                step.opened = self._facts()
            self._write()
            while chunk := self._object.read(_RECORD):
                step.data += chunk
            step.ended = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not self._shaken and self._arrived > MOST_HANDSHAKE:
                step.ended, step.error = True, errno.EMSGSIZE
                step.message = f"no end of the handshake after {MOST_HANDSHAKE} bytes"
        except ssl.SSLZeroReturnError:
            step.ended = True
        except (OSError, ValueError) as problem:
            step.ended, step.error, step.message = True, errno.EPROTO, words(problem)
        return step

    def send(self, data: bytes) -> TlsStep:
        """Take plain bytes for the other side; they wait while a handshake is under way."""
        self._plain += data
        return self.receive(b"") if self._shaken else TlsStep()

    def _write(self) -> None:
        while self._plain:
            del self._plain[: self._object.write(self._plain)]

    def _facts(self) -> TlsFacts:
        der = self._object.getpeercert(binary_form=True)
        cipher = self._object.cipher()
        return TlsFacts(
            version=self._object.version() or "",
            cipher=cipher[0] if cipher else "",
            certificate=read_certificate(der) if der else None,
        )


def words(problem: Exception) -> str:
    """OpenSSL's own words for an error, in lower case: ``wrong version number``."""
    reason = getattr(problem, "reason", None)
    if isinstance(reason, str) and reason:
        return reason.replace("_", " ").lower()
    return re.sub(r"\s*\(_ssl\.c:\d+\)$", "", str(problem.args[-1] if problem.args else problem))
