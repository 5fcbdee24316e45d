from __future__ import annotations

from ipaddress import ip_address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.link.base import CaptureFilter
from leadline.sim.arrivals import Arrivals, wanted
from leadline.sim.world import SimHost, ports, simple_world
from leadline.wire.batch import FrameBatch, concatenate, single
from tests.support.sim_scanner import Scanner


def frames(times: list[float], width: int = 4) -> FrameBatch:
    data = np.arange(len(times) * width, dtype=np.uint8).reshape(len(times), width)
    return FrameBatch(data, np.full(len(times), width, np.int32), np.array(times), 14)


def test_frames_come_in_order_of_time_and_only_when_due() -> None:
    queue = Arrivals(14, 100)
    queue.push(frames([3.0, 1.0, 2.0]))
    queue.push(frames([2.5, 0.5]))
    assert (len(queue), queue.next_time()) == (5, 0.5)
    assert queue.take(0.4).times.tolist() == []
    assert queue.take(2.0).times.tolist() == [0.5, 1.0, 2.0]
    assert (len(queue), queue.next_time()) == (2, 2.5)
    assert queue.take(9.0).times.tolist() == [2.5, 3.0]
    assert queue.next_time() is None


@given(st.lists(st.lists(st.floats(0, 10), max_size=6), max_size=5), st.lists(st.floats(0, 10), max_size=5))
def test_nothing_is_lost_nor_doubled(pushed: list[list[float]], moments: list[float]) -> None:
    queue = Arrivals(14, 1000)
    for times in pushed:
        queue.push(frames(times))
    taken = [time for moment in [*sorted(moments), 10.0] for time in queue.take(moment).times.tolist()]
    assert taken == sorted(time for times in pushed for time in times)


def test_a_full_queue_drops_the_latest_and_counts() -> None:
    queue = Arrivals(14, 3)
    queue.push(frames([4.0, 1.0, 2.0, 3.0]))
    queue.push(frames([0.1]))
    assert queue.dropped == 2
    assert queue.take(9.0).times.tolist() == [1.0, 2.0, 3.0]
    queue.push(frames([5.0]))
    queue.clear()
    assert (len(queue), queue.next_time()) == (0, None)


def captured(target: str, last_port: int, protocols: tuple[int, ...] = ()) -> tuple[FrameBatch, CaptureFilter]:
    """Probes to the scanner itself, as if they were answers."""
    scanner = Scanner(simple_world([SimHost((ip_address(target),), tcp=ports(1))]), target)
    scanner.tcp(target, [1])
    tcp = scanner.frames
    scanner.udp(target, [1])
    return concatenate([tcp, scanner.frames]), CaptureFilter(
        scanner.family, scanner.route.source, 40_000, last_port, protocols=protocols
    )


def test_filter_by_port_family_and_address() -> None:
    for target in ("192.0.2.9", "2001:db8:ffff::9"):
        batch, capture = captured(target, 40_001)
        # A SYN/ACK to port 40000, and an ICMP error.
        assert wanted(capture, batch).tolist() == [True, True]
        version = capture.family
        other = CaptureFilter(version, capture.source + 1, 40_000, 40_001)
        assert wanted(other, batch).tolist() == [False, False]
        narrow = CaptureFilter(version, capture.source, 40_001, 40_002)
        assert wanted(narrow, batch).tolist() == [False, True]
        wide = CaptureFilter(version, capture.source, 40_001, 40_002, protocols=(6,))
        assert wanted(wide, batch).tolist() == [True, True]
        elsewhere = ip_address("2001:db8::1") if version == 4 else ip_address("192.0.2.2")
        foreign = CaptureFilter(10 - version, elsewhere, 0, 65_535)
        assert wanted(foreign, batch).tolist() == [False, False]


def test_filter_without_link_header_and_arp() -> None:
    batch, capture = captured("192.0.2.9", 40_001)
    bare = FrameBatch(batch.frames[:, 14:], batch.lengths - 14, batch.times, 0)
    assert wanted(capture, bare).tolist() == [True, True]
    scanner = Scanner(simple_world([SimHost((ip_address("192.0.2.9"),))]), "192.0.2.9")
    scanner.who_has("192.0.2.9")
    assert wanted(CaptureFilter(4, capture.source, 0, 1, neighbors=True), scanner.frames).tolist() == [True]
    assert wanted(CaptureFilter(4, capture.source, 0, 1), scanner.frames).tolist() == [False]


@given(st.binary(max_size=80), st.sampled_from([4, 6]), st.sampled_from([0, 14]), st.integers(0, 200))
def test_filter_bears_any_bytes(data: bytes, family: int, offset: int, length: int) -> None:
    source = ip_address("192.0.2.2") if family == 4 else ip_address("2001:db8::1")
    batch = single(data, offset)
    batch.lengths[:] = length
    assert wanted(CaptureFilter(family, source, 0, 65_535, neighbors=True), batch).shape == (1,)
