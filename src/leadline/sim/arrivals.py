"""Frames on their way to one link, and the capture filter that decides which of them it gets."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from leadline.link.base import CaptureFilter
from leadline.wire.batch import FrameBatch, concatenate, empty

_EXTENSIONS = (0, 43, 44, 60)
_PORTED = (6, 17, 132)


class Arrivals:
    """A queue in order of time. ``capacity``: frames that fit; what comes when it is full is dropped and counted."""

    def __init__(self, offset: int, capacity: int) -> None:
        self._offset = offset
        self._capacity = capacity
        self._heap: list[tuple[float, int, FrameBatch]] = []
        self._serial = 0
        self._waiting = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._waiting

    def push(self, batch: FrameBatch) -> None:
        """Add frames; ``batch.times`` says when each arrives. Frames without a finite time or any byte never do."""
        room = max(0, self._capacity - self._waiting)
        order = np.argsort(batch.times, kind="stable")
        self.dropped += max(0, len(order) - room)
        order = order[:room]
        if len(order):
            self._waiting += len(order)
            self._put(batch.pick(order))

    def _put(self, batch: FrameBatch) -> None:
        self._serial += 1
        heappush(self._heap, (float(batch.times[0]), self._serial, batch))

    def next_time(self) -> float | None:
        """When the next frame arrives, ``None`` when none is under way."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> FrameBatch:
        """All frames that have arrived by ``now``, in order of time."""
        due: list[FrameBatch] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, batch = heappop(self._heap)
            ready = int(np.searchsorted(batch.times, now, side="right"))
            due.append(batch.pick(slice(ready)))
            if ready < len(batch):
                self._put(batch.pick(slice(ready, None)))
        if not due:
            return empty(self._offset)
        merged = due[0]
        if len(due) > 1:
            merged = concatenate(due)
            order = np.argsort(merged.times, kind="stable")
            merged = merged.pick(order)
        self._waiting -= len(merged)
        return merged

    def clear(self) -> None:
        """Forget everything that is under way."""
        self._heap.clear()
        self._waiting = 0


def wanted(capture: CaptureFilter, batch: FrameBatch) -> NDArray[np.bool_]:
    """Which frames pass the filter, bool ``(N,)``: as kernel BPF decides it, byte loads beyond the end fail."""
    count = len(batch)
    at = batch.offset
    frames = batch.frames
    if frames.shape[1] < at + 60:
        padded = np.zeros((count, at + 60), np.uint8)
        padded[:, : frames.shape[1]] = frames
        frames = padded
    length = np.minimum(batch.lengths, batch.frames.shape[1])
    version = frames[:, at] >> 4
    ether = _word(frames, at - 2) if at >= 14 else np.zeros(count, np.uint16)
    if at >= 14:
        is_family = ether == (0x0800 if capture.family == 4 else 0x86DD)
    else:
        is_family = version == capture.family
    if capture.family == 4:
        result: NDArray[np.bool_] = is_family & _wanted_v4(capture, frames, at, length)
        if capture.neighbors and at >= 14:
            result = result | (ether == 0x0806) & (_word(frames, at + 6) == 2) & (length >= at + 28)
        return result
    return np.asarray(is_family & _wanted_v6(capture, frames, at, length))


def _wanted_v4(
    capture: CaptureFilter, frames: NDArray[np.uint8], at: int, length: NDArray[np.int32]
) -> NDArray[np.bool_]:
    ours = np.frombuffer(capture.source.packed, np.uint8)
    result: NDArray[np.bool_] = (frames[:, at + 16 : at + 20] == ours).all(axis=1) & (length >= at + 20)
    protocol = frames[:, at + 9]
    header = (frames[:, at] & 15).astype(np.int64) * 4
    first_fragment = (_word(frames, at + 6) & 0x1FFF) == 0
    place = np.minimum(at + header + 2, frames.shape[1] - 2)
    rows = np.arange(len(frames))
    port = frames[rows, place].astype(np.uint16) << 8 | frames[rows, place + 1]
    ported = _among(protocol, _PORTED) & first_fragment & (length >= at + header + 4)
    fits = ported & (port >= capture.first_port) & (port <= capture.last_port)
    return np.asarray(result & ((protocol == 1) | fits | _among(protocol, capture.protocols)))


def _wanted_v6(
    capture: CaptureFilter, frames: NDArray[np.uint8], at: int, length: NDArray[np.int32]
) -> NDArray[np.bool_]:
    ours = np.frombuffer(capture.source.packed, np.uint8)
    result = (frames[:, at + 24 : at + 40] == ours).all(axis=1) & (length >= at + 40)
    following = frames[:, at + 6]
    port = _word(frames, at + 42)
    ported = _among(following, _PORTED) & (length >= at + 44)
    fits = ported & (port >= capture.first_port) & (port <= capture.last_port)
    others = (58, *_EXTENSIONS, *capture.protocols)
    return np.asarray(result & (fits | _among(following, others)))


def _among(column: NDArray[np.uint8], values: tuple[int, ...]) -> NDArray[np.bool_]:
    """As ``np.isin``, which is slow for a few values."""
    table = np.zeros(256, np.bool_)
    table[list(values)] = True
    return table[column]


def _word(frames: NDArray[np.uint8], at: int) -> NDArray[np.uint16]:
    high: NDArray[np.uint16] = np.left_shift(frames[:, at].astype(np.uint16), 8, dtype=np.uint16)
    return high | frames[:, at + 1]
