"""How reports say things: times, durations, counts, ranges, reasons and evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from leadline.model.evidence import Evidence
from leadline.model.ip import Address
from leadline.model.port import PortState, Protocol, Reason
from leadline.report.escape import for_terminal

if TYPE_CHECKING:  # they load numpy, and ``leadline explain`` needs none
    from leadline.model.event import ScanEnded
    from leadline.model.host import Host
    from leadline.model.swept import HostsSilent

# Looked up once for each port of each host: the properties would build these strings anew every time.
STATE_LABEL: dict[PortState, str] = {state: state.label for state in PortState}
REASON_LABEL: dict[Reason, str] = {reason: reason.label for reason in Reason}
PROTOCOL_LABEL: dict[Protocol, str] = {protocol: protocol.label for protocol in Protocol}


def calendar(epoch: float) -> str:
    """``Mon Nov 23 12:25:44 2026``: local time as in C's ``ctime``, whatever the locale."""
    return datetime.fromtimestamp(int(epoch)).ctime()


def minute(epoch: float) -> str:
    """``12:25``, local time."""
    return datetime.fromtimestamp(int(epoch)).strftime("%H:%M")


def stamp(epoch: float, seconds: bool = False) -> str:
    """``2026-11-23 12:25 UTC`` (with ``seconds``: ``2026-11-23 12:25:44 UTC``), local time and zone."""
    moment = datetime.fromtimestamp(int(epoch)).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z" if seconds else "%Y-%m-%d %H:%M %Z")


def clock_span(seconds: float) -> str:
    """``0:01:07``: hours, minutes, seconds; hours may exceed a day."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def two_digits(seconds: float) -> str:
    """A latency with two significant digits and no exponent: ``0.0012``, ``0.50``, ``12`` (spec sheet 6.1)."""
    if not math.isfinite(seconds) or seconds <= 0.0:
        return "0.0"
    # The exponent is read from the rounded value: 0.0999 is 0.10, not 0.100.
    rounded = f"{seconds:.1e}"
    return f"{float(rounded):.{max(0, 1 - int(rounded.partition('e')[2]))}f}"


def in_bytes(count: int) -> str:
    """``572B``, ``1.408KB``, ``21.776MB``: decimal multiples."""
    if count < 1000:
        return f"{count}B"
    if count < 1_000_000:
        return f"{count / 1000:.3f}KB"
    return f"{count / 1_000_000:.3f}MB"


def counted(count: int, one: str, many: str = "") -> str:
    """``1 host``, ``2 hosts``; ``many`` where adding an ``s`` is not enough."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def hosts_summary(total: int, up: int, seconds: float) -> str:
    """``2 IP addresses (1 host up) scanned in 0.08 seconds``: the end of every kind of report."""
    return f"{counted(total, 'IP address', 'IP addresses')} ({counted(up, 'host')} up) scanned in {seconds:.2f} seconds"


def range_list(ranges: Iterable[tuple[int, int]]) -> str:
    """``22,80-90,443`` from inclusive pairs."""
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def reason_words(reason: Reason, ttl: int, responder: Address | None) -> str:
    """``syn-ack ttl 64``, ``admin-prohibited from 10.0.0.1 ttl 63``, ``no-response``."""
    words = REASON_LABEL[reason]
    if responder is not None:
        words += f" from {responder}"
    return f"{words} ttl {ttl}" if ttl else words


def evidence_words(evidence: Evidence) -> str:
    """One sentence of proof: what was sent, what came back from whom and when, which rule decided."""
    words = f"{evidence.probe} sent {counted(evidence.tries, 'time')}" if evidence.tries else "nothing sent"
    if evidence.reply:
        words += f", try {evidence.answered_try}" if evidence.answered_try else ", not matched to a try,"
        words += f" answered by {evidence.reply}"
        if evidence.responder is not None:
            words += f" from {evidence.responder}"
        if evidence.ttl:
            words += f" with ttl {evidence.ttl}"
        if evidence.rtt is not None:
            words += f" after {two_digits(evidence.rtt)}s"
    elif evidence.tries:
        words += ", no answer"
    return f"{words}; {evidence.rule}" if evidence.rule else words


def cut_words(host: Host) -> str:
    """Why and where the scan of this host was cut; the empty string for a complete one."""
    if host.timed_out:
        return f"host timeout during {host.interrupted or 'the scan'}"
    if host.gave_up:
        return f"given up during {host.interrupted}: so many ports are open (--max-open-ports)"
    return f"interrupted during {host.interrupted}" if host.interrupted else ""


def silent_words(event: HostsSilent) -> str:
    """``65,120 hosts without an answer (1 port of each filtered: no-response)``."""
    what = f"{event.count:,} host{'' if event.count == 1 else 's'} without an answer"
    if event.interrupted:
        return f"{what} (interrupted during {event.interrupted})"
    ports = counted(event.ports, "port")
    return f"{what} ({ports} of each {STATE_LABEL[event.state]}: {REASON_LABEL[Reason.NO_RESPONSE]})"


def ending(event: ScanEnded) -> str:
    """How a scan ended, for the last line: ``done``, ``interrupted by SIGINT`` or ``stopped by an error``."""
    if event.exit == "success":
        return "done"
    if event.exit == "interrupted":
        why = for_terminal(event.message)
        return why if why.startswith("interrupted") else f"interrupted ({why})" if why else "interrupted"
    return "stopped by an error"


def ending_reason(event: ScanEnded) -> str:
    """The error that stopped a scan, to be put behind its last line; empty for every other end."""
    return f"; {for_terminal(event.message)}" if event.exit == "error" and event.message else ""
