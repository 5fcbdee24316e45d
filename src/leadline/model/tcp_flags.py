"""The eight flags of TCP that a scan can choose (RFC 9293 section 3.1), and their names as users write them."""

from __future__ import annotations

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
ALL_FLAGS = 0xFF

FLAG_VALUES: dict[str, int] = {
    "FIN": FIN,
    "SYN": SYN,
    "RST": RST,
    "PSH": PSH,
    "ACK": ACK,
    "URG": URG,
    "ECE": ECE,
    "CWR": CWR,
}
"""In the order of their bits, which is the order in which Nmap's XML names them (``FINSYN``)."""


def flag_names(flags: int) -> str:
    """The names of all flags that are set, lowest bit first and without anything between; ``NONE`` for no flag."""
    return "".join(name for name, bit in FLAG_VALUES.items() if flags & bit) or "NONE"
