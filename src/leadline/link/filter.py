"""``CaptureFilter`` -> classic BPF, so that only frames that can be replies reach the receive ring.

The filter is a superset by design: IPv4 options are stepped over, packets with IPv6 extension headers pass, and the
engine checks the keyed tag of everything anyway. It saves work, it does not decide.
Instruction set: Linux ``Documentation/networking/filter.rst``; field positions: RFC 791, RFC 8200, RFC 826, RFC 9293.
"""

from __future__ import annotations

from typing import TypeAlias

from leadline.link.base import CaptureFilter
from leadline.model.quick_dataclass import dataclass

Step: TypeAlias = tuple[int, int, int, int]
Program: TypeAlias = list[Step]

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
LOAD_HALF_INDEXED = 0x48
LOAD_INDEX_HEADER = 0xB1  # X = 4 * (byte & 15): the IPv4 header length
AND = 0x54
JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, JUMP_SET = 0x15, 0x25, 0x35, 0x45
RETURN = 0x06

# Ancillary loads: "packet" offsets at which the kernel answers from its own notes on the frame.
ANCILLARY = 0xFFFFF000
PACKET_TYPE = ANCILLARY + 4
VLAN_TAG = ANCILLARY + 44
OUTGOING = 4

WHOLE_FRAME = 0x40000
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
PORT_PROTOCOLS = (TCP, UDP, SCTP)
# Hop-by-hop, routing, fragment, authentication, destination options, mobility: what follows is not looked up here.
EXTENSION_HEADERS = (0, 43, 44, 51, 60, 135)
ARP_REPLY = 2
MOST_PROTOCOLS = 64


@dataclass(slots=True)
class _Instruction:
    code: int
    value: int
    when_true: str = ""
    when_false: str = ""


class Assembler:
    """Instructions with named jump targets; ``''`` as a jump target means the next instruction."""

    def __init__(self) -> None:
        self._instructions: list[_Instruction] = []
        self._labels: dict[str, int] = {}

    def label(self, name: str) -> None:
        """The next instruction is where jumps to ``name`` go."""
        self._labels[name] = len(self._instructions)

    def add(self, code: int, value: int, when_true: str = "", when_false: str = "") -> None:
        """Append one instruction; jumps are forward only, as the kernel demands."""
        self._instructions.append(_Instruction(code, value, when_true, when_false))

    def program(self) -> Program:
        """The finished steps. Raises ``KeyError`` for an unknown label, ``ValueError`` for a jump that is too far."""
        steps = []
        for position, instruction in enumerate(self._instructions):
            distances = []
            for label in (instruction.when_true, instruction.when_false):
                distance = self._labels[label] - position - 1 if label else 0
                if not 0 <= distance <= 255:
                    raise ValueError(f"jump to {label!r} is {distance} instructions long")
                distances.append(distance)
            steps.append((instruction.code, distances[0], distances[1], instruction.value))
        return steps


def compile_filter(capture: CaptureFilter, link_header: int) -> Program:
    """The program for frames whose network header starts at ``link_header`` (14: Ethernet header before it, or 0)."""
    code = Assembler()
    code.add(LOAD_WORD, PACKET_TYPE)
    code.add(JUMP_EQUAL, OUTGOING, "drop")
    # Frames of a VLAN (id other than 0) are seen on the parent interface too: they belong to the VLAN's own interface.
    code.add(LOAD_WORD, VLAN_TAG)
    code.add(AND, 0x0FFF)
    code.add(JUMP_EQUAL, 0, "", "drop")
    if link_header >= 14:
        _ethernet_type(code, capture)
    else:
        code.add(LOAD_BYTE, link_header)
        code.add(AND, 0xF0)
        code.add(JUMP_EQUAL, capture.family << 4, "", "drop")
    if capture.family == 4:
        _ipv4(code, capture, link_header)
    else:
        _ipv6(code, capture, link_header)
    if link_header >= 14 and capture.family == 4 and capture.neighbors:
        code.label("arp")
        code.add(LOAD_HALF, link_header + 6)
        code.add(JUMP_EQUAL, ARP_REPLY, "accept", "drop")
    code.label("drop")
    code.add(RETURN, 0)
    code.label("accept")
    code.add(RETURN, WHOLE_FRAME)
    return code.program()


def _ethernet_type(code: Assembler, capture: CaptureFilter) -> None:
    code.add(LOAD_HALF, 12)
    if capture.family == 6:
        code.add(JUMP_EQUAL, 0x86DD, "", "drop")
        return
    if capture.neighbors:
        code.add(JUMP_EQUAL, 0x0806, "arp")
    code.add(JUMP_EQUAL, 0x0800, "", "drop")


def _ipv4(code: Assembler, capture: CaptureFilter, start: int) -> None:
    code.add(LOAD_WORD, start + 16)
    code.add(JUMP_EQUAL, int(capture.source), "", "drop")
    code.add(LOAD_HALF, start + 6)
    code.add(JUMP_SET, 0x1FFF, "drop")  # later fragments hold no header that could be matched
    code.add(LOAD_BYTE, start + 9)
    _protocols(code, capture, ICMP, ())
    code.label("ports")
    code.add(LOAD_INDEX_HEADER, start)
    code.add(LOAD_HALF_INDEXED, start + 2)
    _port_range(code, capture)


def _ipv6(code: Assembler, capture: CaptureFilter, start: int) -> None:
    wanted = int(capture.source)
    for word in range(4):
        code.add(LOAD_WORD, start + 24 + 4 * word)
        code.add(JUMP_EQUAL, (wanted >> (96 - 32 * word)) & 0xFFFFFFFF, "", "drop")
    code.add(LOAD_BYTE, start + 6)
    _protocols(code, capture, ICMPV6, EXTENSION_HEADERS)
    code.label("ports")
    code.add(LOAD_HALF, start + 40 + 2)
    _port_range(code, capture)


def _protocols(code: Assembler, capture: CaptureFilter, icmp: int, passing: tuple[int, ...]) -> None:
    accepted = dict.fromkeys((icmp, *passing, *(number & 0xFF for number in capture.protocols)))
    if len(accepted) > MOST_PROTOCOLS:
        # A jump reaches 255 instructions: of so many protocols all are let in, save ports that are not ours.
        for number in PORT_PROTOCOLS:
            code.add(JUMP_EQUAL, number, "ports")
        code.add(JUMP_EQUAL, 256, "accept", "accept")
        return
    for number in accepted:
        code.add(JUMP_EQUAL, number, "accept")
    for number in PORT_PROTOCOLS:
        if number not in accepted:
            code.add(JUMP_EQUAL, number, "ports")
    code.add(JUMP_EQUAL, 256, "drop", "drop")  # a byte is never 256: drops whatever is left


def _port_range(code: Assembler, capture: CaptureFilter) -> None:
    code.add(JUMP_GREATER_EQUAL, capture.first_port, "", "drop")
    code.add(JUMP_GREATER, capture.last_port, "drop", "accept")
