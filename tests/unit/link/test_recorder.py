"""What is recorded can be read back: every frame taken and given, with its time, interface and direction."""

from __future__ import annotations

import io
from dataclasses import replace
from ipaddress import ip_address
from typing import cast

import numpy as np
import pytest

from leadline.link.base import CaptureFilter, Interface, Link, LinkStatistics, Network
from leadline.link.recorder import RecordedNetwork
from leadline.model.plan import PacketShape, Proxy
from leadline.wire.batch import FrameBatch
from leadline.wire.pcapng import INBOUND, OUTBOUND, Reader
from tests.unit.link.conftest import SetClock

CAPTURE = CaptureFilter(4, ip_address("10.0.0.1"), 1, 2)


def batch(*frames: bytes, time: float = 0.0) -> FrameBatch:
    width = max(map(len, frames), default=0)
    rows = np.frombuffer(b"".join(frame.ljust(width, b"\0") for frame in frames), np.uint8).reshape(-1, width or 1)
    lengths = np.array([len(frame) for frame in frames], np.int32)
    return FrameBatch(rows, lengths, np.full(len(frames), time), 14)


class Inner:
    """A link and a network that answer with themselves or with words."""

    def __init__(self, clock: SetClock, interface: Interface) -> None:
        self.clock = clock
        self.interface = interface
        self.statistics = LinkStatistics()
        self.arrived = batch()
        self.room = 100
        self.waited: list[float] = []
        self.closed = False

    def send(self, frames: FrameBatch) -> int:
        return min(self.room, len(frames))

    def receive(self) -> FrameBatch:
        return self.arrived

    def wait(self, timeout: float) -> None:
        self.waited.append(timeout)

    def close(self) -> None:
        self.closed = True

    def open_link(self, interface: Interface, capture: CaptureFilter) -> Inner:
        assert capture is CAPTURE
        other = Inner(self.clock, interface)
        other.arrived = self.arrived
        return other

    def interfaces(self) -> list[Interface]:
        return [self.interface]

    def routes(self, *arguments: object) -> tuple[str, object]:
        return "routes", arguments

    def can_send_raw(self) -> bool:
        return True

    def neighbor(self, *arguments: object) -> tuple[str, object]:
        return "neighbor", arguments

    def connector(self, *arguments: object) -> tuple[str, object]:
        return "connector", arguments

    def dialer(self, *arguments: object) -> tuple[str, object]:
        return "dialer", arguments

    descriptor = 9

    def next_look(self, until: float) -> float:
        return until - 1

    def rest(self, sources: object, until: float) -> None:
        self.rested = (sources, until)


def test_frames_of_both_directions(clock: SetClock, ethernet: Interface) -> None:
    file, inner = io.BytesIO(), Inner(clock, ethernet)
    network = RecordedNetwork(cast(Network, inner), file)
    inner.arrived = batch(b"r" * 40, b"s" * 50, time=99.5)
    near: Link = network.open_link(ethernet, CAPTURE)
    inner.arrived = batch(b"t" * 20, time=100.5)
    far: Link = network.open_link(replace(ethernet, name="tun0", link_header=0), CAPTURE)
    assert near.send(batch(b"a" * 60, b"b" * 60)) == 2
    assert len(near.receive()) == 2
    assert len(far.receive()) == 1
    packets = list(Reader(io.BytesIO(file.getvalue())))
    assert [(each.interface.name, each.interface.linktype, each.data, each.direction) for each in packets] == [
        ("eth0", 1, b"a" * 60, OUTBOUND),
        ("eth0", 1, b"b" * 60, OUTBOUND),
        ("eth0", 1, b"r" * 40, INBOUND),
        ("eth0", 1, b"s" * 50, INBOUND),
        ("tun0", 101, b"t" * 20, INBOUND),
    ]
    seconds = [each.nanoseconds / 1e9 - clock.zero for each in packets]
    assert seconds == pytest.approx([100.0, 100.0, 99.5, 99.5, 100.5], abs=1e-6)


def test_only_what_was_taken_is_kept(clock: SetClock, ethernet: Interface) -> None:
    file, inner = io.BytesIO(), Inner(clock, ethernet)
    link = RecordedNetwork(cast(Network, inner), file).open_link(ethernet, CAPTURE)
    link._inner.room = 1  # type: ignore[attr-defined]
    assert link.send(batch(b"a" * 60, b"b" * 60)) == 1
    link._inner.room = 0  # type: ignore[attr-defined]
    assert link.send(batch(b"b" * 60)) == 0
    assert len(link.receive()) == 0
    assert [packet.data for packet in Reader(io.BytesIO(file.getvalue()))] == [b"a" * 60]


def test_everything_else_is_the_inner_networks(clock: SetClock, ethernet: Interface) -> None:
    inner = Inner(clock, ethernet)
    network = RecordedNetwork(cast(Network, inner), io.BytesIO())
    assert network.interfaces() == [ethernet]
    assert network.can_send_raw()
    assert network.routes(4, np.zeros(1, np.uint64), np.zeros(1, np.uint64), {})[0] == "routes"  # type: ignore[index]
    assert network.neighbor(ethernet, CAPTURE.source)[0] == "neighbor"  # type: ignore[index]
    assert network.connector(5) == ("connector", (5, (), None))
    chain = (Proxy("http", "192.0.2.1", 3128),)
    assert network.connector(6, chain) == ("connector", (6, chain, None))
    shape = PacketShape(ttl=9)
    assert network.dialer(7, chain, shape) == ("dialer", (7, chain, shape))
    link = network.open_link(ethernet, CAPTURE)
    link.wait(2.0)
    link.close()
    assert link.interface is ethernet
    assert link.statistics is link._inner.statistics  # type: ignore[attr-defined]
    assert link._inner.waited == [2.0]  # type: ignore[attr-defined]
    assert link._inner.closed  # type: ignore[attr-defined]


class Full(io.BytesIO):
    """A file whose disk is full from the write on that makes it longer than ``room``."""

    room = 0

    def write(self, data: object) -> int:
        if self.tell() >= self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_ends_the_recording_and_not_the_scan(clock: SetClock, ethernet: Interface) -> None:
    inner = Inner(clock, ethernet)
    network = RecordedNetwork(cast(Network, inner), Full())
    assert network.problem == "Cannot write to the recording: No space left on device; this output ends here."
    file = Full()
    file.room = 1
    network = RecordedNetwork(cast(Network, inner), file)
    link = network.open_link(ethernet, CAPTURE)
    assert not network.problem
    assert link.send(batch(b"a" * 60)) == 1
    assert "No space left" in network.problem
    assert link.send(batch(b"a" * 60)) == 1
    link.close()
    network.close()
    network.close()
    assert file.closed


def test_a_disk_that_is_full_at_the_end() -> None:
    class Late(io.BytesIO):
        name = "scan.pcapng"

        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    network = RecordedNetwork(cast(Network, Inner(SetClock(), cast(Interface, None))), Late())
    network.close()
    assert network.problem == "Cannot write to scan.pcapng: No space left on device; this output ends here."


def test_waiting_is_left_to_the_inner_ones(clock: SetClock, ethernet: Interface) -> None:
    inner = Inner(clock, ethernet)
    network = RecordedNetwork(cast(Network, inner), io.BytesIO())
    link = network.open_link(ethernet, CAPTURE)
    assert (link.descriptor, link.next_look(5.0)) == (9, 4.0)
    network.rest([link], 7.0)
    assert inner.rested == ([link], 7.0)
