"""N frames at once: the batch that travels between machines and links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class FrameBatch:
    """``frames``: uint8 ``(N, width)``, row ``i`` is valid in ``[0:lengths[i]]`` (the rest is padding, any value).

    ``lengths``: int32 ``(N,)``, whole frame including the link header. ``times``: float64 ``(N,)``, seconds on the
    scan's clock when captured (zeros in batches to send). ``offset``: where the network header starts in every row
    (14 on Ethernet and ``lo``, 0 on header-less interfaces). A received batch may be a view over ring memory: it is
    valid until the next call on the link.
    """

    frames: NDArray[np.uint8]
    lengths: NDArray[np.int32]
    times: NDArray[np.float64]
    offset: int

    def __len__(self) -> int:
        return len(self.lengths)
