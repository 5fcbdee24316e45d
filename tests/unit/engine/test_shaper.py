"""A link that shapes, around one that takes as much as a test lets it."""

from __future__ import annotations

from scapy.layers.inet import IP

from leadline.engine.shaper import MOST_FRAMES, MOST_IN_ORDER, ShapedLink, as_sent
from leadline.link.base import LinkStatistics
from leadline.wire.batch import FrameBatch, empty
from leadline.wire.shaping import OWN, FrameShape
from leadline.wire.template import TcpTemplate
from tests.support.groups import group_of, interface_of, packets
from tests.support.machines import T0, FakeClock


class Inner:
    """Takes at most ``room`` frames in all."""

    def __init__(self, room: int = 1 << 20) -> None:
        self.interface, self.statistics = interface_of(), LinkStatistics()
        self.room = room
        self.sent: list[bytes] = []
        self.portions: list[int] = []
        self.waits: list[float] = []
        self.closed = False

    def send(self, batch: FrameBatch) -> int:
        taken = min(len(batch), self.room)
        self.portions.append(len(batch))
        self.room -= taken
        self.sent += [batch.row(index) for index in range(taken)]
        return taken

    def receive(self) -> FrameBatch:
        return empty(14)

    def wait(self, timeout: float) -> None:
        self.waits.append(timeout)

    descriptor = 7

    def next_look(self, until: float) -> float:
        return until

    def close(self) -> None:
        self.closed = True


def probes(count: int) -> FrameBatch:
    group = group_of(hosts=count)
    return TcpTemplate(group.framing(), 2).build(group.hi, group.lo, None, 1, 2, 3, 0, 40, 5)


def test_each_frame_becomes_its_copies() -> None:
    inner = Inner()
    link = ShapedLink(inner, FrameShape(sources=(7, OWN)), FakeClock())
    assert (link.interface, link.statistics) == (inner.interface, inner.statistics)
    batch = probes(3)
    assert link.send(batch) == 3
    shown = as_sent(link, batch)
    assert inner.sent == [shown.row(index) for index in range(6)]
    assert [packet[IP].src for packet in packets(shown)] == ["0.0.0.7", "10.9.0.1"] * 3
    assert as_sent(inner, batch) is batch
    assert len(link.receive()) == 0


def test_what_found_no_room_goes_first() -> None:
    inner = Inner(room=5)
    link = ShapedLink(inner, FrameShape(sources=(7, OWN, 8)), FakeClock())
    first, second = probes(3), probes(1)
    assert link.send(first) == 3
    assert len(inner.sent) == 5
    assert link.send(second) == 0, "no room"
    link.wait(1.0)
    assert (link.descriptor, link.next_look(T0 + 1)) == (7, T0 + 0.002)
    inner.room = 2
    link.receive()
    assert len(inner.sent) == 7
    inner.room = 100
    assert link.send(second) == 1
    link.wait(1.0)
    assert inner.waits == [0.002, 1.0]
    assert link.next_look(T0 + 1) == T0 + 1
    assert inner.sent == [as_sent(link, each).row(index) for each in (first, second) for index in range(len(each) * 3)]
    assert link.send(empty(14)) == 0


def test_a_flood_of_copies_is_made_in_portions() -> None:
    inner = Inner()
    link = ShapedLink(inner, FrameShape(sources=(OWN, *range(1, 128)), chunk=8), FakeClock())
    assert link.send(probes(200)) == MOST_FRAMES // (128 * 3)
    assert 0 < len(inner.sent) <= MOST_FRAMES
    assert max(inner.portions) == MOST_IN_ORDER
    inner.portions.clear()
    few = ShapedLink(inner, FrameShape(chunk=8), FakeClock())
    assert few.send(probes(200)) == 200
    assert set(inner.portions) == {MOST_IN_ORDER}
    alone = ShapedLink(inner, FrameShape(ttl=9), FakeClock())
    assert alone.send(probes(200)) == 200
    assert inner.portions[-1] == 200


def test_closing_gives_the_rest_a_chance() -> None:
    inner = Inner(room=1)
    link = ShapedLink(inner, FrameShape(sources=(7, OWN)), FakeClock())
    link.send(probes(1))
    inner.room = 9
    link.close()
    assert inner.closed
    assert len(inner.sent) == 2
