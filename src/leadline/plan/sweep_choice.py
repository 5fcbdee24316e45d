"""Options for large scans: which shard of the targets, and how much of the link may be filled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadline.model.plan import WHOLE, Shard, Technique
from leadline.plan.options import Options

_SHARD = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)
# What a frame takes of the link besides itself: preamble 8, frame check sequence 4, gap 12 (IEEE 802.3), and its least
# size there. A SYN is 58 bytes with its Ethernet header, 78 over IPv6.
FRAMING_BYTES, LEAST_BYTES = 24, 84
_SYN_BYTES_V6 = 78 + FRAMING_BYTES
# Probes that may carry a payload are counted with what nearly all of them stay below.
_PAYLOAD_BYTES = 300
_SMALL = frozenset({Technique.UDP.value, Technique.SCTP_INIT.value, Technique.SCTP_COOKIE_ECHO.value})


def read_shard(text: str | None) -> Shard | None:
    """``3/16`` is the third of 16 shards; ``None`` for what is none (``None``: all targets)."""
    if text is None:
        return WHOLE
    matched = _SHARD.fullmatch(text)
    if matched is None or not 1 <= int(matched[1]) <= int(matched[2]):
        return None
    return Shard(int(matched[1]) - 1, int(matched[2]))


def check_sweeps(options: Options) -> Iterator[str]:
    """One sentence for each mistake."""
    if read_shard(options.shard) is None:
        yield f"--shard needs the number of a part and how many there are, such as 3/16, not {options.shard!r}."
    if options.bandwidth is not None and not 0 < options.bandwidth < float("inf"):
        yield f"--bandwidth needs a number of bits a second above 0, not {options.bandwidth:g}."


def rate_of(options: Options) -> float | None:
    """The greatest rate (packets a second) that ``--max-rate`` and ``--bandwidth`` allow; ``None``: any."""
    if options.bandwidth is None:
        return options.max_rate
    longer = options.family == 6 or any(":" in text for text in options.targets)
    size = _SYN_BYTES_V6 if longer else LEAST_BYTES
    if _SMALL & set(options.techniques):
        size = _PAYLOAD_BYTES
    allowed = options.bandwidth / (8 * size)
    return allowed if options.max_rate is None else min(allowed, options.max_rate)
