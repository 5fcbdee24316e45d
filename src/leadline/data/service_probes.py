"""Where probes and rules of version detection come from: our own folder, or a file or folder that the user names."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from leadline.data.service_grammar import parse
from leadline.data.service_rules import ServiceProbes
from leadline.errors import DataError
from leadline.model.port import Protocol

FOLDER = Path(__file__).with_name("tables") / "services"
SUFFIX = ".probes"
LARGEST_FILE = 64 << 20


def load_service_probes(path: str | Path = "") -> ServiceProbes:
    """Probes and rules of a file, or of all ``*.probes`` of a folder in the order of their names; empty: our own.

    Raises ``DataError`` when something cannot be read or is not in the grammar.
    """
    place = Path(path) if str(path) else FOLDER
    files = sorted(place.glob("*" + SUFFIX)) if place.is_dir() else [place]
    if not files:
        raise DataError(f"the folder has no file *{SUFFIX}", str(place))
    return parse([(_spoken(file), _content(file)) for file in files])


def _spoken(file: Path) -> str:
    """What messages and evidence call a file: our own ones by name, as their folder differs from machine to machine."""
    return file.name if file.parent == FOLDER else str(file)


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise DataError(f"cannot be read: {problem.strerror}", str(file)) from None
    if len(content) > LARGEST_FILE:
        raise DataError(f"is larger than {LARGEST_FILE >> 20} MiB", str(file))
    return content


def udp_payloads(probes: ServiceProbes) -> dict[int, tuple[bytes, ...]]:
    """Payloads for UDP discovery and UDP scans: port -> what to send there, in file order.

    Of each UDP probe that lists the port and is not ``no-payload``; empty payloads are left out.
    """
    payloads: defaultdict[int, list[bytes]] = defaultdict(list)
    for probe in probes.probes:
        if probe.protocol is Protocol.UDP and probe.payload_allowed and probe.payload:
            for first, last in probe.ports:
                for port in range(first, last + 1):
                    payloads[port].append(probe.payload)
    return {port: tuple(dict.fromkeys(payloads[port])) for port in sorted(payloads)}
