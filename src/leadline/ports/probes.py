"""What a port scan sends: which ports of which host, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.engine.probe_kind import ProbeKind
from leadline.engine.protocol_probes import protocol_probe
from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

# So many of the most common ports are worth going first: they tell soonest what a host is, and their answers teach the
# round trip.
POPULAR_FIRST = 28


@dataclass(frozen=True, slots=True)
class PortMatrix:
    """Ports of a group: column ``c`` of the item matrix is port ``numbers[c]`` (ascending, int64 ``(P,)``).

    ``order``/``offsets``: as ``engine.prober.Prober`` takes them. ``column_of``: column of each port number, -1
    for ports that are not scanned, int64 ``(65536,)``.
    """

    numbers: I64
    order: I64
    offsets: I64 | None
    column_of: I64

    def ports_of(self, host: int) -> I64:
        """Columns that are scanned on one host, in scan order."""
        if self.offsets is None:
            return self.order
        return self.order[self.offsets[host] : self.offsets[host + 1]]


@dataclass(frozen=True, slots=True)
class ProbeTable:
    """Column ``c`` of a matrix is asked by probes of ``kinds[c]`` to port ``ports[c]``, uint8 and int64 ``(P,)``."""

    kinds: U8
    ports: I64
    _columns: dict[int, I64]

    def column_of(self, kinds: U8, ports: I64) -> I64:
        """The column that each answer (its probe's kind and port) is about, -1 for other probes; int64 ``(N,)``."""
        found = np.full(len(kinds), -1, dtype=np.int64)
        for kind, columns in self._columns.items():
            rows = np.flatnonzero(kinds == kind)
            found[rows] = columns[ports[rows]]
        return found


def probe_table(matrix: PortMatrix, kind: ProbeKind, family: int) -> ProbeTable:
    """Every port by probes of ``kind``; IP protocols each by its own (see ``engine.protocol_probes``)."""
    if kind is not ProbeKind.IP_PROTOCOL:
        kinds = np.full(len(matrix.numbers), int(kind), dtype=np.uint8)
        return ProbeTable(kinds, matrix.numbers, {int(kind): matrix.column_of})
    pairs = [protocol_probe(number, family) for number in matrix.numbers.tolist()]
    columns: dict[int, I64] = {}
    for column, (own, port) in enumerate(pairs):
        columns.setdefault(int(own), np.full(65_536, -1, dtype=np.int64))[port] = column
    kinds = np.array([int(own) for own, _ in pairs], dtype=np.uint8)
    return ProbeTable(kinds, np.array([port for _, port in pairs], dtype=np.int64), columns)


def port_matrix(
    per_host: Sequence[tuple[int, ...]], popular: Sequence[int], sequential: bool, generator: np.random.Generator
) -> PortMatrix:
    """The ports of each host of a group as a matrix.

    ``per_host``: ascending port numbers; hosts with the same ports should share one tuple object. ``popular``: ports
    to send first, most common first. ``sequential`` (``-r``): ascending order instead of a shuffled one.
    """
    sets = {id(ports): ports for ports in per_host}
    present = np.zeros(65_536, dtype=bool)
    for ports in sets.values():
        present[np.array(ports, dtype=np.int64)] = True
    union: I64 = np.flatnonzero(present)
    column_of = np.full(65_536, -1, dtype=np.int64)
    column_of[union] = np.arange(len(union))
    order = np.arange(len(union)) if sequential else _shuffled(union, column_of, popular, generator)
    if len(sets) == 1:
        return PortMatrix(union, order, None, column_of)
    place = np.empty(len(union), dtype=np.int64)
    place[order] = np.arange(len(order))
    runs = {}
    for key, ports in sets.items():
        columns = column_of[np.array(ports, dtype=np.int64)]
        runs[key] = columns[np.argsort(place[columns], kind="stable")]
    chosen = [runs[id(ports)] for ports in per_host]
    offsets = np.concatenate(([0], np.cumsum([len(run) for run in chosen]))).astype(np.int64)
    return PortMatrix(union, np.concatenate(chosen), offsets, column_of)


def _shuffled(union: I64, column_of: I64, popular: Sequence[int], generator: np.random.Generator) -> I64:
    order = generator.permutation(len(union)).astype(np.int64)
    first = column_of[np.array(list(popular), dtype=np.int64)]
    first = first[first >= 0]
    is_first = np.zeros(len(union), dtype=bool)
    is_first[first] = True
    return np.concatenate((first, order[~is_first[order]]))
