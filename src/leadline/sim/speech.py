"""What simulated services say: replies, endings, TLS, and streams without end, as frozen values.

``world.SimService`` is made of these; ``conversation`` speaks them; ``services`` has ready-made ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from leadline.model.service import Certificate

# RFC 8446 section 6: a record of type alert (21), level fatal, unexpected_message (10).
UNEXPECTED_MESSAGE = b"\x15\x03\x03\x00\x02\x02\x0a"


class Then(Enum):
    """What a service does after it has said something."""

    STAY = "stay"
    CLOSE = "close"
    RESET = "reset"
    TLS = "tls"
    """It waits for a TLS handshake (STARTTLS)."""


@dataclass(frozen=True, slots=True)
class Pour:
    """The same bytes again and again: ``chunk`` ``every`` so many seconds; 0 = as fast as the reader takes them.

    ``total``: bytes after which it stops, 0 = never. At ``every=0`` a chunk is what one round trip carries.
    """

    chunk: bytes
    every: float = 1.0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to something. Subclasses may compute it: only ``answer`` is asked.

    ``to``: what the bytes received so far must begin with (empty: anything); with ``pattern`` a regular expression that
    must match at their beginning (``.`` matches every byte). ``delay``: seconds that this reply takes, on top of the
    service's ``think``. ``pours`` follows ``say`` and goes on until the connection ends or, after ``total``, ``then``.
    """

    to: bytes = b""
    say: bytes = b""
    then: Then = Then.STAY
    delay: float = 0.0
    pattern: bool = False
    pours: Pour | None = None

    def answer(self, heard: bytes) -> bytes | None:
        """The bytes to send, ``None`` when this is no reply to what was heard."""
        fits = bool(compiled(self.to).match(heard)) if self.pattern else heard.startswith(self.to)
        return self.say if fits else None


@dataclass(frozen=True, slots=True)
class Echoing(Reply):
    """A reply that repeats bytes of the request: ``say`` with ``heard[copied]`` put in at ``place``.

    For transaction numbers: DNS over UDP is ``copied=(0, 2), place=0``. Requests that are too short are not answered.
    """

    copied: tuple[int, int] = (0, 2)
    place: int = 0

    def answer(self, heard: bytes) -> bytes | None:
        start, end = self.copied
        # Not super(): a slotted dataclass is another class than the one its methods were written in.
        said = Reply.answer(self, heard)
        if said is None or len(heard) < end:
            return None
        return said[: self.place] + heard[start:end] + said[self.place :]


@dataclass(frozen=True, slots=True)
class Tagged(Reply):
    """A reply to a command behind a tag, in any case (IMAP, RFC 9051 section 2.2.1): ``say`` after the same tag."""

    def answer(self, heard: bytes) -> bytes | None:
        tag, _, command = heard.partition(b" ")
        return tag + b" " + self.say if command.upper().startswith(self.to.upper()) else None


class TlsFault(Enum):
    """What goes wrong in a handshake."""

    NONE = "none"
    ALERT = "alert"
    """A fatal alert, handshake_failure."""
    CLOSE = "close"
    RESET = "reset"
    SILENT = "silent"
    """The ClientHello is never answered."""
    ENDLESS = "endless"
    """Handshake records without end, one a second; it never finishes."""
    GARBAGE = "garbage"
    """Bytes that are no TLS."""


@dataclass(frozen=True, slots=True)
class SimTls:
    """TLS of a service. ``version`` and ``cipher`` as in ``TlsFacts``; a handshake takes one round trip in TLS 1.3 and
    two before, and ``delay`` seconds of the server's.

    ``needs_name``: without a name (SNI) it answers with the alert unrecognized_name. ``plain``: its answer to what is
    no ClientHello, after which it closes (web servers tell in plain HTTP, others send an alert).
    """

    certificate: Certificate | None = None
    version: str = "TLSv1.3"
    cipher: str = "TLS_AES_256_GCM_SHA384"
    fault: TlsFault = TlsFault.NONE
    delay: float = 0.0
    needs_name: bool = False
    plain: bytes = UNEXPECTED_MESSAGE


@lru_cache(maxsize=4096)
def compiled(pattern: bytes) -> re.Pattern[bytes]:
    """A pattern of a reply, compiled once. Raises ``re.error`` for one that is none."""
    return re.compile(pattern, re.DOTALL)
