"""What a prober wants to have sent in one turn, in the order in which it is to leave."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leadline.model.quick_dataclass import dataclass

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)

PING = -1


@dataclass(frozen=True, slots=True)
class Sends:
    """Probes to send now, ``(N,)`` each: ``columns`` is ``PING`` for timing pings, ``codes`` goes into the tag.

    ``ttls``: not 0 for proofs that are to end at that hop; ``columns`` then says which probe they look like.
    """

    hosts: I64
    columns: I64
    codes: U8
    ttls: U8

    @classmethod
    def of(cls, ping_hosts: I64, pings: U8, hosts: I64, columns: I64, codes: U8, *, pings_first: bool) -> Sends:
        """Pings with their codes, and ordinary probes to ``hosts``.

        At the head of a burst there is always room in a queue: pings must not always be there.
        """
        columns = _joined(np.full(len(ping_hosts), PING, dtype=np.int64), columns, pings_first)
        every = _joined(ping_hosts, hosts, pings_first)
        return cls(every, columns, _joined(pings, codes, pings_first), np.zeros(len(every), dtype=np.uint8))

    def behind(self, ttls: U8, codes: U8, host: int, column: int) -> Sends:
        """These, and before them probes to ``host`` with such TTLs that look like the one of ``column``."""
        count = len(ttls)
        return Sends(
            np.concatenate((np.full(count, host, dtype=np.int64), self.hosts)),
            np.concatenate((np.full(count, column, dtype=np.int64), self.columns)),
            np.concatenate((codes, self.codes)),
            np.concatenate((ttls, self.ttls)),
        )


def _joined(pings: NDArray[T], probes: NDArray[T], pings_first: bool) -> NDArray[T]:
    return np.concatenate((pings, probes) if pings_first else (probes, pings))
