from scapy.layers.inet import ICMP, IP

from leadline.engine.tracing import trace
from leadline.model.event import PacketTraced
from leadline.wire.batch import empty
from tests.support.groups import batch_of


def test_one_line_a_packet_in_order() -> None:
    frames = batch_of([IP(src="10.0.0.1", dst=f"10.0.0.{last}") / ICMP() for last in (2, 3)], offset=0)
    events = list(trace(frames, "SENT", 1.5))
    assert [(one.at, one.direction) for one in events] == [(1.5, "SENT")] * 2
    assert all(isinstance(one, PacketTraced) for one in events)
    assert "10.0.0.2" in events[0].summary
    assert "10.0.0.3" in events[1].summary
    assert "\n" not in events[0].summary


def test_no_frames_no_lines() -> None:
    assert list(trace(empty(14), "RCVD", 0.0)) == []


def test_bytes_of_any_kind_have_a_line() -> None:
    frames = batch_of([b"", b"\x45", bytes(64)])  # type: ignore[list-item]
    assert len(list(trace(frames, "RCVD", 0.0))) == 3
