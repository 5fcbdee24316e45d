"""Fragments that the scanner sends are put together before anybody in the simulated network sees them, as hosts do it
and firewalls that keep state (RFC 791 section 3.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.wire.batch import FrameBatch, concatenate
from leadline.wire.checksum import finish_columns, sum_rows

I64 = NDArray[np.int64]

# How long pieces wait for the rest of their packet, in seconds (RFC 791: 15; Linux: 30), and how many may wait.
PATIENCE = 30.0
MOST_WAITING = 4096
_HEADER = 20
_MORE, _OFFSET = 0x2000, 0x1FFF


class Reassembly:
    """Of IPv4; pieces of one packet may come in several batches."""

    def __init__(self) -> None:
        self._waiting: FrameBatch | None = None

    def whole(self, batch: FrameBatch) -> FrameBatch:
        """The batch with packets instead of their pieces, each in the place and at the time of its last one.

        Pieces that do not fit together (overlaps, repeats) never become a packet.
        """
        pieces = _pieces(batch)
        if not len(pieces):
            return batch
        others = np.setdiff1d(np.arange(len(batch)), pieces, assume_unique=True)
        kept = batch.pick(pieces)
        first_new = 0
        if self._waiting is not None:
            recent = np.flatnonzero(self._waiting.times > float(batch.times[0]) - PATIENCE)
            first_new = len(recent)
            kept = concatenate([self._waiting.pick(recent), kept])
        places = np.concatenate([np.full(first_new, -1), pieces])
        made, ends, used = _put_together(kept, places)
        left = np.flatnonzero(~used)[-MOST_WAITING:]
        self._waiting = kept.pick(left) if len(left) else None
        together = concatenate([batch.pick(others), *made])
        order = np.argsort(np.concatenate([others, *ends]), kind="stable")
        return together.pick(order)


def _pieces(batch: FrameBatch) -> I64:
    """Rows that are fragments."""
    at = batch.offset
    if not len(batch) or batch.frames.shape[1] < at + _HEADER:
        return np.empty(0, dtype=np.int64)
    frames = batch.frames
    is_v4 = (frames[:, at] >> 4 == 4) & (batch.lengths >= at + _HEADER)
    if at:
        is_v4 &= (frames[:, at - 2] == 8) & (frames[:, at - 1] == 0)
    return np.flatnonzero(is_v4 & (_word(frames, at + 6) & (_MORE | _OFFSET) != 0))


def _word(frames: NDArray[np.uint8], at: int) -> I64:
    return frames[:, at].astype(np.int64) << 8 | frames[:, at + 1]


def _put_together(batch: FrameBatch, places: I64) -> tuple[list[FrameBatch], list[I64], NDArray[np.bool_]]:
    """Packets whose pieces are all there, alike ones in one batch, the place of each, and which rows they took."""
    at, frames = batch.offset, batch.frames
    fragment = _word(frames, at + 6)
    start = (fragment & _OFFSET) * 8
    header = (frames[:, at] & 15).astype(np.int64) * 4
    size = np.minimum(_word(frames, at + 2), batch.lengths - at) - header
    # Source, destination, protocol and identification make out the packet.
    identity = np.concatenate(
        [frames[:, at + 12 : at + 20], frames[:, at + 9 : at + 10], frames[:, at + 4 : at + 6]], 1
    )
    _, packet = np.unique(identity, axis=0, return_inverse=True)
    packet = packet.reshape(-1)
    order = np.lexsort((start, packet))
    packet, start, size, header = packet[order], start[order], size[order], header[order]
    more = fragment[order] & _MORE != 0
    first = np.flatnonzero(np.diff(packet, prepend=-1))
    last = np.append(first[1:], len(packet)) - 1
    follows = np.append(start[1:] == (start + size)[:-1], True) & more
    follows[last] = ~more[last]
    fits = np.logical_and.reduceat(follows, first) & (start[first] == 0) & (size[first] > 0)
    counts, total = last - first + 1, start[last] + size[last]
    used = np.zeros(len(batch), dtype=bool)
    made, ends = [], []
    for count, chunk, length, words in sorted(set(zip(*(
        each[fits].tolist() for each in (counts, size[first], total, header[first])
    ), strict=True))):  # fmt: skip
        alike = fits & (counts == count) & (size[first] == chunk) & (total == length) & (header[first] == words)
        # Of more than two pieces those in the middle may be of any size: built only when all are alike.
        rows = order[first[alike][:, None] + np.arange(count)]
        even = (np.diff(start[first[alike][:, None] + np.arange(count)], axis=1) == chunk).all(axis=1)
        rows = rows[even]
        if not len(rows):
            continue
        used[rows.reshape(-1)] = True
        made.append(_joined(batch, rows, at, words, chunk, length))
        ends.append(places[rows].max(axis=1))
    return made, ends, used


def _joined(batch: FrameBatch, rows: I64, at: int, header: int, chunk: int, length: int) -> FrameBatch:
    frames = np.zeros((len(rows), at + header + length), dtype=np.uint8)
    frames[:, : at + header] = batch.frames[rows[:, 0], : at + header]
    for turn in range(rows.shape[1]):
        part = min(chunk, length - turn * chunk)
        begin = at + header + turn * chunk
        frames[:, begin : begin + part] = batch.frames[rows[:, turn], at + header : at + header + part]
    frames[:, at + 2 : at + 4] = np.frombuffer((header + length).to_bytes(2), dtype=np.uint8)
    frames[:, at + 6 : at + 8] = 0
    frames[:, at + 10 : at + 12] = 0
    sums = finish_columns(sum_rows(frames[:, at : at + header]))
    frames[:, at + 10 : at + 12] = sums.astype(">u2").view(np.uint8).reshape(-1, 2)
    lengths = np.full(len(rows), frames.shape[1], dtype=np.int32)
    return FrameBatch(frames, lengths, batch.times[rows].max(axis=1), batch.offset)
