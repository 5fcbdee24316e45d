"""What runs behind a port, and the proof of it: what was said to it and what it answered."""

from __future__ import annotations

from leadline.model.quick_dataclass import dataclass

MOST_NAMES = 100
"""So many names of a certificate are kept; one with as many may have had more."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a server's certificate says of itself (nothing of it is verified).

    ``subject`` and ``issuer``: RFC 4514 names; ``names``: the DNS names and addresses it is for (RFC 6125: subject
    alternative names, else the common name); ``not_before``/``not_after``: seconds since the epoch; ``sha256``: of its
    bytes, hexadecimal. ``problem``: why it could not be read (then only ``sha256`` is set).
    """

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: float | None = None
    not_after: float | None = None
    self_signed: bool = False
    sha256: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """A finished TLS handshake. ``version``: ``TLSv1.3`` ...; ``cipher``: OpenSSL's name of the suite.

    ``via``: ``direct``, or the protocol whose STARTTLS led to it (``smtp``, ``imap``, ``postgresql`` ...).
    """

    version: str
    cipher: str
    certificate: Certificate | None = None
    via: str = "direct"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One probe on one connection. ``sent``: its bytes (empty: only listened); ``received``: the first bytes of the
    answer, ``total`` of them all in all; ``at``: seconds since the scan began, ``seconds``: how long it took until
    it was decided or given up. ``tunnel``: ``ssl`` or empty. ``outcome`` in words (``match``, ``soft match``,
    ``no match``, ``silence``, ``closed``, ``reset``, ``connection refused`` ...).
    """

    probe: str
    sent: bytes
    received: bytes
    total: int
    at: float
    seconds: float
    outcome: str
    tunnel: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEvidence:
    """Why a service is believed: the exchanges in the order in which they began, the rule that decided
    (``file:line``, empty when none did) and, in ``reason``, the deciding step in words.
    """

    exchanges: tuple[Exchange, ...] = ()
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What runs behind a port. ``method`` is ``table`` (from the port number) or ``probed``.

    ``confidence``: 0..10 (spec sheet 3.2: 10 matched, 8 tcpwrapped, 3 from the table). ``cpe``: whole names
    (``cpe:/a:vendor:product:version``). ``tunnel``: ``ssl`` when it was spoken to through TLS, else empty.
    ``fingerprint``: the SF text of what answered and was not recognised, in one line (spec sheet 3.3).
    """

    name: str
    method: str = "table"
    confidence: int = 3
    product: str = ""
    version: str = ""
    extrainfo: str = ""
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""
    cpe: tuple[str, ...] = ()
    tunnel: str = ""
    fingerprint: str = ""
    tls: TlsFacts | None = None
    evidence: ServiceEvidence | None = None
