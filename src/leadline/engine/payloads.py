"""What UDP probes carry: the payloads of each port, all of them one after the other as one probe (spec sheet 2.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from leadline.wire.distinct import distinct

I64 = NDArray[np.int64]

MOST_PAYLOADS = 255
NOTHING: tuple[bytes, ...] = (b"",)
"""What is sent to ports that no protocol is known to ask: one empty datagram."""


class Payloads:
    """``by_port``: the payloads of ports, of which the first ``MOST_PAYLOADS`` are sent."""

    def __init__(self, by_port: Mapping[int, tuple[bytes, ...]] | None = None) -> None:
        self._sets: list[tuple[bytes, ...]] = [NOTHING]
        self._set_of: NDArray[np.int32] = np.zeros(65_536, dtype=np.int32)
        known: dict[tuple[bytes, ...], int] = {}
        for port, payloads in (by_port or {}).items():
            wanted = payloads[:MOST_PAYLOADS]
            if wanted and wanted not in known:
                known[wanted] = len(self._sets)
                self._sets.append(wanted)
            self._set_of[port] = known.get(wanted, 0)
        self.ports: tuple[int, ...] = tuple(np.flatnonzero(self._set_of).tolist())

    def groups(self, ports: I64) -> Iterator[tuple[I64, tuple[bytes, ...]]]:
        """Rows of ``ports`` ``(N,)`` that are asked alike, with what is sent to them."""
        sets = self._set_of[ports]
        for number in distinct(sets).tolist():
            yield np.flatnonzero(sets == number), self._sets[number]
