"""N frames at once: the batch that travels between machines and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from leadline.model.quick_dataclass import dataclass

Rows: TypeAlias = slice | NDArray[np.intp] | NDArray[np.bool_]


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

    def pick(self, rows: Rows) -> FrameBatch:
        """Some of the frames: a slice (then a view), row numbers or a mask."""
        return FrameBatch(self.frames[rows], self.lengths[rows], self.times[rows], self.offset)

    def row(self, index: int) -> bytes:
        """The bytes of one frame, without padding."""
        return self.frames[index, : max(int(self.lengths[index]), 0)].tobytes()


def empty(offset: int) -> FrameBatch:
    """A batch without frames."""
    return FrameBatch(
        np.zeros((0, 0), dtype=np.uint8), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float64), offset
    )


def single(frame: bytes, offset: int, time: float = 0.0) -> FrameBatch:
    """A batch of one frame (a copy of the bytes)."""
    row = np.frombuffer(bytearray(frame), dtype=np.uint8).reshape(1, len(frame))
    return FrameBatch(row, np.array([len(frame)], dtype=np.int32), np.array([time], dtype=np.float64), offset)


def concatenate(batches: Sequence[FrameBatch]) -> FrameBatch:
    """One batch of all rows in order, copied, zero-padded to the widest frame array.

    Raises ``ValueError`` when there is no batch at all or the offsets of non-empty batches differ (frames of
    different links do not mix).
    """
    if not batches:
        raise ValueError("no batches to put together")
    filled = [batch for batch in batches if len(batch)]
    if not filled:
        return empty(batches[0].offset)
    offset = filled[0].offset
    if any(batch.offset != offset for batch in filled):
        raise ValueError("batches of different link headers cannot be one batch")
    width = max(batch.frames.shape[1] for batch in filled)
    total = sum(len(batch) for batch in filled)
    frames = np.zeros((total, width), dtype=np.uint8)
    at = 0
    for batch in filled:
        frames[at : at + len(batch), : batch.frames.shape[1]] = batch.frames
        at += len(batch)
    return FrameBatch(
        frames,
        np.concatenate([batch.lengths for batch in filled]),
        np.concatenate([batch.times for batch in filled]),
        offset,
    )
