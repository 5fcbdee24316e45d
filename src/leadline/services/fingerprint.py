"""The SF fingerprint: the answers of a service that no rule recognised, in one line of text (spec sheet 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from leadline.services.run import Run

# It stops growing then; more is told with -d.
MOST, MOST_DEBUGGING = 2200, 10_000
_ESCAPED = frozenset(b'\\?"[]().*+$^|')
_SHORT = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True)
class FingerprintFacts:
    """What heads a fingerprint. ``when``: seconds since the epoch; ``platform``: of the scanner."""

    version: str
    intensity: int
    when: float
    platform: str
    debugging: bool = False


def fingerprint(port: int, protocol: str, tunnel: str, runs: Sequence[Run], facts: FingerprintFacts) -> str:
    """The text without line breaks; empty when nothing was answered. ``protocol``: ``tcp`` or ``udp``."""
    answered = [run for run in runs if run.received]
    if not answered:
        return ""
    date = datetime.fromtimestamp(facts.when, UTC)
    text = (
        f"SF-Port{port}-{protocol.upper()}:V={facts.version}{'%T=SSL' if tunnel else ''}%I={facts.intensity}"
        f"%D={date.month}/{date.day}%Time={int(facts.when):X}%P={facts.platform}"
    )
    most = MOST_DEBUGGING if facts.debugging else MOST
    for run in answered:
        room = most - len(text)
        if room <= 0:
            break
        text += f'%r({run.probe.name},{run.total:X},"{_escaped(bytes(run.received), room)}")'
    return text + ";"


def _escaped(data: bytes, room: int) -> str:
    parts: list[str] = []
    used = 0
    for index, byte in enumerate(data):
        following = data[index + 1] if index + 1 < len(data) else 0
        part = _escape(byte, following)
        used += len(part)
        if used > room:
            break
        parts.append(part)
    return "".join(parts)


def _escape(byte: int, following: int) -> str:
    if byte == 0:
        return "\\x00" if following in _DIGITS else "\\0"
    if byte in _SHORT:
        return _SHORT[byte]
    if byte in _ESCAPED:
        return "\\" + chr(byte)
    return chr(byte) if 0x20 < byte < 0x7F else f"\\x{byte:02x}"
