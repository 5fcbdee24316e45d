from __future__ import annotations

import numpy as np
import pytest

from leadline.sim.faults import LinkFaults, Queue, TokenBucket, TokenBuckets, survival


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = TokenBuckets([TokenBucket(rate=10.0, burst=5.0)])
    times = np.arange(100) * 0.01
    admitted = buckets.admit(np.zeros(100, np.int32), times)
    assert admitted[:5].all()
    # 5 saved up and 0.99 s at 10 a second.
    assert int(admitted.sum()) == 5 + 9


def test_buckets_are_apart_and_minus_one_is_free() -> None:
    buckets = TokenBuckets([TokenBucket(1.0), TokenBucket(1.0)])
    which = np.array([0, 0, 1, 1, -1, -1], np.int32)
    assert buckets.admit(which, np.zeros(6)).tolist() == [True, False, True, False, True, True]
    assert len(buckets) == 2


def test_bucket_looks_at_packets_in_order_of_time() -> None:
    buckets = TokenBuckets([TokenBucket(rate=1.0)])
    assert buckets.admit(np.zeros(3, np.int32), np.array([0.5, 0.0, 1.2])).tolist() == [False, True, True]


def test_bucket_keeps_its_state_between_batches() -> None:
    buckets = TokenBuckets([TokenBucket(rate=1.0, burst=2.0)])
    zero = np.zeros(1, np.int32)
    verdicts = [bool(buckets.admit(zero, np.array([moment]))[0]) for moment in (0.0, 0.1, 0.2, 1.3)]
    assert verdicts == [True, True, False, True]


def test_queue_serves_in_order_and_drops_the_tail() -> None:
    queue = Queue(rate=100.0, length=4)
    admitted, leaving = queue.admit(np.zeros(10))
    # One in service, four waiting.
    assert admitted.tolist() == [True] * 5 + [False] * 5
    assert leaving[:5] == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])


def test_queue_drains_with_time() -> None:
    queue = Queue(rate=100.0, length=1)
    assert queue.admit(np.zeros(3))[0].tolist() == [True, True, False]
    admitted, leaving = queue.admit(np.array([1.0]))
    assert admitted.all()
    assert leaving == pytest.approx([1.01])


def test_queue_below_its_rate_delays_by_one_service_only() -> None:
    times = np.arange(50) * 0.02
    admitted, leaving = Queue(rate=100.0, length=1).admit(times)
    assert admitted.all()
    assert leaving == pytest.approx(times + 0.01)


def test_survival_multiplies() -> None:
    assert survival([LinkFaults(loss=0.5), LinkFaults(), LinkFaults(loss=0.1)]) == pytest.approx([0.5, 0.5, 0.45])
