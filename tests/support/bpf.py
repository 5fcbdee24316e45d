"""Runs classic BPF programs on frames, as the kernel would (Linux ``Documentation/networking/filter.rst``)."""

from __future__ import annotations

from collections.abc import Sequence

ANCILLARY = 0xFFFFF000
WORDS = (1 << 32) - 1
JUMPS = {0x15: int.__eq__, 0x25: int.__gt__, 0x35: int.__ge__, 0x45: lambda left, right: bool(left & right)}
SIZES = {0x20: 4, 0x28: 2, 0x30: 1, 0x48: 2}


def run_filter(
    program: Sequence[tuple[int, int, int, int]], frame: bytes, packet_type: int = 0, vlan_tag: int = 0
) -> int:
    """How many bytes of ``frame`` are kept (0: dropped). A load beyond its end drops it."""
    notes = {4: packet_type, 44: vlan_tag}
    accumulator = index = position = 0
    for _ in range(4096):
        code, when_true, when_false, value = program[position]
        position += 1
        if code in SIZES:
            if code != 0x48 and value >= ANCILLARY:
                accumulator = notes[value - ANCILLARY]
                continue
            start = value + (index if code == 0x48 else 0)
            data = frame[start : start + SIZES[code]]
            if len(data) < SIZES[code]:
                return 0
            accumulator = int.from_bytes(data, "big")
        elif code == 0xB1:
            if value >= len(frame):
                return 0
            index = 4 * (frame[value] & 15)
        elif code == 0x54:
            accumulator &= value
        elif code in JUMPS:
            position += when_true if JUMPS[code](accumulator, value) else when_false
        elif code == 0x06:
            return min(value & WORDS, len(frame))
        else:
            raise ValueError(f"instruction {code:#x} is not known")
    raise ValueError("the program does not end")
