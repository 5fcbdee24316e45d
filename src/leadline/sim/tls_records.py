"""The first records of a simulated TLS server: just enough that whoever reads them in the clear sees TLS.

Layouts: RFC 5246 sections 6.2.1 and 7.4.1, RFC 8446 sections 4.1.3, 4.2.1 and 5.1. Nothing here is secret or secure.
"""

from __future__ import annotations

from hashlib import sha256

_VERSIONS = {"TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
# Of the suites that a world names most; another name gets the first one of its version.
_SUITES = {
    "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "ECDHE-RSA-AES256-GCM-SHA384": 0xC030,
    "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F,
    "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B,
    "AES256-SHA": 0x0035,
    "AES128-SHA": 0x002F,
}
_HANDSHAKE, _ALERT = 22, 21
HANDSHAKE_FAILURE, PROTOCOL_VERSION, UNRECOGNIZED_NAME = 40, 70, 112
# OpenSSL's words, which the real dialer reports.
_WORDS = {
    HANDSHAKE_FAILURE: "sslv3 alert handshake failure",
    PROTOCOL_VERSION: "tlsv1 alert protocol version",
    UNRECOGNIZED_NAME: "tlsv1 unrecognized name",
}
# The random value that turns a ServerHello into a HelloRetryRequest (RFC 8446 section 4.1.3).
_RETRY = sha256(b"HelloRetryRequest").digest()
# A HelloRequest, which a client has to ignore as often as it comes during a handshake (RFC 5246 section 7.4.1.1).
HELLO_REQUEST = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"
NO_TLS = b"\x00\xff leadline says no TLS here \xff\x00\r\n"


def is_client_hello(data: bytes) -> bool:
    """Whether these bytes begin like a TLS record that holds a ClientHello."""
    return data[:2] == b"\x16\x03" and (len(data) < 6 or data[5] == 1)


def client_hello(name: str) -> bytes:
    """The beginning of a ClientHello, for whoever listens without speaking TLS. ``name`` makes it this client's own."""
    body = b"\x03\x03" + sha256(b"client " + name.encode()).digest() + b"\x00\x00\x02\x13\x02\x01\x00"
    return _record(_HANDSHAKE, _message(1, body), 0x0301)


def server_hello(version: str, cipher: str, hello: bytes) -> bytes:
    """What follows a ClientHello (its record in ``hello``).

    Before TLS 1.3 ServerHello and ServerHelloDone. In TLS 1.3 a HelloRetryRequest, what a client without a key share
    gets (RFC 8446 section 4.1.4).
    """
    number = _VERSIONS.get(version, 0x0303)
    chance = sha256(f"server {version} {cipher}".encode()).digest()
    suite = _SUITES.get(cipher, 0x1301 if number == 0x0304 else 0xC02F).to_bytes(2, "big")
    if number == 0x0304:
        extensions = b"\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x02\x00\x1d"
        return _record(_HANDSHAKE, _hello(0x0303, _RETRY, _session_id(hello), suite, extensions), 0x0303)
    first = _record(_HANDSHAKE, _hello(number, chance, chance[::-1], suite, b"\xff\x01\x00\x01\x00"), number)
    return first + _record(_HANDSHAKE, _message(14, b""), number)


def offers_tls(hello: bytes) -> bool:
    """Whether a ClientHello offers more than SSL 3.0, which no server of today speaks (RFC 7568)."""
    return len(hello) < 11 or hello[9:11] > b"\x03\x00"


def _hello(number: int, chance: bytes, session: bytes, suite: bytes, extensions: bytes) -> bytes:
    body = number.to_bytes(2, "big") + chance + bytes((len(session),)) + session + suite + b"\x00"
    return _message(2, body + len(extensions).to_bytes(2, "big") + extensions)


def _session_id(hello: bytes) -> bytes:
    """What the client called its session: it gets that back (RFC 8446 section 4.1.3)."""
    return hello[44 : 44 + min(hello[43], 32)] if len(hello) > 43 else b""


def alert(description: int) -> bytes:
    """A fatal alert."""
    return _record(_ALERT, bytes((2, description)), 0x0303)


def alert_words(data: bytes) -> str:
    """What a client says of the alert in these bytes; its number where that is not known here."""
    number = data[6] if len(data) > 6 else 0
    return _WORDS.get(number, f"alert {number}")


def _message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def _record(kind: int, body: bytes, version: int) -> bytes:
    return bytes((kind,)) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
