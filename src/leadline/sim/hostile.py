"""Services that mean harm, or are broken: whatever they do, a scanner ends with them, within bounds and unhurt.

``hostile_services`` has one of each kind; each alone is a function of its port. ``liars`` has the hosts that lie.
"""

from __future__ import annotations

from leadline.sim.speech import Pour, Reply, SimTls, Then, TlsFault
from leadline.sim.world import SimService

_CHUNK = bytes(range(33, 127)) * 697
# Terminal escapes (title, colours, cursor), what XML cannot hold or must escape, broken UTF-8, line ends within lines.
_POISON = (
    b'\x1b]0;owned\x07\x1b[2J\x1b[31m<x a="&\'">]]>\x00\x01\xff\xfe\xc3\x28\xed\xa0\x80\r\r\n\x08\x7f%s%n$(id)\r\n'
)


class Parrot(Reply):
    """Repeats what it hears."""

    def answer(self, heard: bytes) -> bytes | None:
        """Just that."""
        return heard


def trickle(port: int, every: float = 1.0) -> SimService:
    """One byte every second, without end."""
    return SimService(port, name="trickle", pours=Pour(b"x", every))


def flood(port: int) -> SimService:
    """Bytes as fast as the reader takes them, without end."""
    return SimService(port, name="flood", pours=Pour(_CHUNK[:65536], 0.0))


def hundred_megabytes(port: int) -> SimService:
    """An ordinary web server whose front page has 100 MB."""
    size = 100_000_000
    head = f"HTTP/1.1 200 OK\r\nServer: example/1.0\r\nContent-Length: {size}\r\n\r\n".encode()
    return SimService(port, name="huge", answers=(Reply(b"GET ", head, Then.CLOSE, pours=Pour(_CHUNK, 0.0, size)),))


def never_answers(port: int) -> SimService:
    """Accepts, takes everything, says nothing, and never closes."""
    return SimService(port, name="silent")


def poisonous(port: int) -> SimService:
    """Terminal escapes, bytes that break XML, UTF-8 and lines: as banner and as answer to everything."""
    return SimService(port, name="poison", banner=_POISON, default=Reply(say=_POISON))


def echo(port: int) -> SimService:
    """Says back whatever it hears."""
    return SimService(port, name="echo", default=Parrot())


def slow_to_greet(port: int, seconds: float = 30.0) -> SimService:
    """Greets long after anybody has given up, and hears nothing before."""
    return SimService(port, name="slow", banner=b"220 at last\r\n", banner_delay=seconds)


def contradictory(port: int) -> SimService:
    """Speaks another protocol each time that it opens its mouth."""
    answers = (
        Reply(b"GET", b"+OK POP3 ready\r\n"),
        Reply(b"HELP", b"HTTP/1.0 200 OK\r\nServer: nginx\r\n\r\n", Then.CLOSE),
    )
    return SimService(
        port,
        name="contradictory",
        banner=b"220 FTP SMTP ready\r\n",
        answers=answers,
        default=Reply(say=b"* OK IMAP4\r\n"),
    )


def broken_tls(port: int, fault: TlsFault) -> SimService:
    """A TLS server whose handshakes go wrong in this way."""
    return SimService(port, name=f"tls-{fault.value}", tls=SimTls(fault=fault))


def resets(port: int, step: str) -> SimService:
    """Resets at a step: ``accept``, ``banner``, ``request`` (with a byte said), ``answer`` (in the middle of it)."""
    half = b"HTTP/1.1 200 OK\r\nServer: half"
    shapes = {
        "accept": SimService(port, after_banner=Then.RESET),
        "banner": SimService(port, banner=b"220 ", after_banner=Then.RESET),
        "request": SimService(port, default=Reply(then=Then.RESET)),
        "answer": SimService(port, default=Reply(say=half, then=Then.RESET)),
    }
    return shapes[step]


def hostile_services(first_port: int = 6001) -> tuple[SimService, ...]:
    """One of each kind, on ports counted upwards from ``first_port``."""
    kinds = (
        trickle,
        flood,
        hundred_megabytes,
        never_answers,
        poisonous,
        echo,
        slow_to_greet,
        contradictory,
        *(lambda port, fault=fault: broken_tls(port, fault) for fault in TlsFault if fault is not TlsFault.NONE),
        *(lambda port, step=step: resets(port, step) for step in ("accept", "banner", "request", "answer")),
    )
    return tuple(kind(port) for port, kind in enumerate(kinds, first_port))
