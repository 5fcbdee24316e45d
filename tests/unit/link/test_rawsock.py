"""Plain sockets as links: errors of a frame are counted, a full kernel is told apart, loopback is addressed."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from leadline.errors import LinkError, PrivilegeError
from leadline.link import packet_socket, rawsock
from leadline.link.base import Interface, LinkStatistics
from leadline.link.rawsock import InternetSender, PacketReceiver, PacketSender
from tests.unit.link.conftest import SetClock


class Scripted:
    """A socket whose ``sendto`` and ``recv`` answer from lists; integers are errnos."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.arrived: list[bytes | int] = []
        self.sent: list[tuple[bytes, object]] = []
        self.far, self.near = socket.socketpair()
        self.closed = False
        self.device: bytes | int = b""

    def fileno(self) -> int:
        return -1 if self.closed else self.near.fileno()

    def setblocking(self, flag: bool) -> None:
        assert not flag

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        if option == socket.SO_BINDTODEVICE and value == b"eth0":
            self.device = value
            return
        raise OSError(errno.EPERM, "no CAP_NET_ADMIN")

    def sendto(self, data: bytes, address: object) -> int:
        answer = self.answers.pop(0) if self.answers else 0
        if answer:
            raise OSError(answer, "scripted")
        self.sent.append((data, address))
        return len(data)

    def recv(self, size: int) -> bytes:
        if not self.arrived:
            raise BlockingIOError(errno.EAGAIN, "nothing")
        answer = self.arrived.pop(0)
        if isinstance(answer, int):
            raise OSError(answer, "scripted")
        return answer[:size]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    made = Scripted()
    monkeypatch.setattr(packet_socket, "open_packet_socket", lambda: made)
    monkeypatch.setattr(packet_socket, "open_capture_socket", lambda interface, program, opened=None: made)
    monkeypatch.setattr(packet_socket, "bind", lambda opened, interface, protocol: None)
    monkeypatch.setattr(packet_socket, "take_drops", lambda opened: 3)
    monkeypatch.setattr(rawsock.socket, "socket", lambda family, kind, protocol: made)
    yield made
    made.near.close()
    made.far.close()


def batch(*frames: bytes) -> tuple[np.ndarray, np.ndarray, int]:
    width = max(map(len, frames))
    rows = np.frombuffer(b"".join(frame.ljust(width, b"\0") for frame in frames), np.uint8).reshape(-1, width)
    return rows, np.array([len(frame) for frame in frames], np.int32), 14


def v4(last: int) -> bytes:
    return bytes(14) + b"\x45" + bytes(15) + bytes([127, 0, 0, last]) + b"data"


def v6(address: str) -> bytes:
    return bytes(14) + b"\x60" + bytes(23) + socket.inet_pton(socket.AF_INET6, address) + b"data"


def test_internet_sender_addresses_each_packet(scripted: Scripted, ethernet: Interface) -> None:
    statistics = LinkStatistics()
    sender = InternetSender(ethernet, 4, statistics)
    assert sender.push(*batch(v4(1), v4(1), v4(2))) == 3
    assert scripted.sent == [
        (v4(1)[14:], ("127.0.0.1", 0)),
        (v4(1)[14:], ("127.0.0.1", 0)),
        (v4(2)[14:], ("127.0.0.2", 0)),
    ]
    assert (statistics.sent, statistics.sent_bytes) == (3, 72)
    assert sender.flush()
    sender.close()
    assert scripted.closed


def test_link_local_packets_carry_the_interface(scripted: Scripted, ethernet: Interface) -> None:
    sender = InternetSender(ethernet, 6, LinkStatistics())
    assert sender.push(*batch(v6("::1"), v6("fe80::5"), v6("fec0::1"))) == 3
    assert [address for _, address in scripted.sent] == [("::1", 0, 0, 0), ("fe80::5", 0, 0, 2), ("fec0::1", 0, 0, 0)]


def test_packets_that_are_none_are_failures(scripted: Scripted, ethernet: Interface) -> None:
    statistics = LinkStatistics()
    sender = InternetSender(ethernet, 4, statistics)
    assert sender.push(*batch(v6("::1"), v4(1)[:30], v4(1))) == 3
    assert (statistics.send_failures, statistics.sent) == (2, 1)


@pytest.mark.parametrize("kind", ["internet", "packet"])
def test_a_full_kernel_stops_and_a_refused_frame_does_not(scripted: Scripted, ethernet: Interface, kind: str) -> None:
    statistics = LinkStatistics()
    sender = InternetSender(ethernet, 4, statistics) if kind == "internet" else PacketSender(ethernet, 0, statistics)
    scripted.answers = [0, errno.EPERM, 0, errno.ENOBUFS]
    frames = [v4(number) for number in range(1, 6)]
    assert sender.push(*batch(*frames)) == 3
    assert (statistics.sent, statistics.send_failures) == (2, 1)
    assert sender.push(*batch(*frames[3:])) == 2
    assert (statistics.sent, statistics.send_failures) == (4, 1)
    sender.flush()
    sender.close()


def test_packet_sender_sends_whole_frames(scripted: Scripted, ethernet: Interface) -> None:
    sender = PacketSender(ethernet, 0x0800, LinkStatistics())
    assert sender.push(*batch(v4(1), v4(2)[:20])) == 2
    assert scripted.sent == [(v4(1), ("eth0", 0x0800)), (v4(2)[:20], ("eth0", 0x0800))]


def test_packet_sender_without_its_interface(scripted: Scripted, ethernet: Interface) -> None:
    sender = PacketSender(ethernet, 0, LinkStatistics())
    scripted.answers = [errno.ENETDOWN]
    with pytest.raises(LinkError, match="eth0"):
        sender.push(*batch(v4(1)))


def test_receiver(scripted: Scripted, ethernet: Interface, clock: SetClock) -> None:
    statistics = LinkStatistics()
    receiver = PacketReceiver(ethernet, [], clock, statistics)
    assert len(receiver.take()) == 0
    scripted.arrived = [b"short", b"a longer one", b"x" * 5000]
    batch = receiver.take()
    assert [row[:size].tobytes() for row, size in zip(batch.frames, batch.lengths, strict=True)] == [
        b"short",
        b"a longer one",
        b"x" * 2048,
    ]
    assert list(batch.times) == [100.0] * 3
    assert batch.offset == 14
    assert (statistics.received, statistics.received_bytes) == (3, 5 + 12 + 2048)
    scripted.arrived = [b"x"] * 3000
    assert len(receiver.take()) == 1024
    receiver.close()
    receiver.close()
    assert statistics.dropped == 3


def test_receiver_without_its_interface(scripted: Scripted, ethernet: Interface, clock: SetClock) -> None:
    receiver = PacketReceiver(ethernet, [], clock, LinkStatistics())
    scripted.arrived = [errno.ENETDOWN]
    with pytest.raises(LinkError, match="eth0"):
        receiver.take()
    receiver.wait(0.0)
    scripted.far.send(b"!")
    receiver.wait(60.0)


def test_openings_that_fail(
    scripted: Scripted, ethernet: Interface, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(opened: object, interface: Interface, protocol: int) -> None:
        raise LinkError(interface.name)

    monkeypatch.setattr(packet_socket, "bind", refuse)
    with pytest.raises(LinkError, match="eth0"):
        PacketReceiver(ethernet, [], clock, LinkStatistics())
    assert scripted.closed
    scripted.closed = False
    with pytest.raises(LinkError, match="eth0"):
        PacketSender(ethernet, 0, LinkStatistics())
    assert scripted.closed

    def forbid(family: int, kind: int, protocol: int) -> None:
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(rawsock.socket, "socket", forbid)
    with pytest.raises(PrivilegeError):
        InternetSender(ethernet, 4, LinkStatistics())


def test_the_kernel_keeps_to_the_interface(
    monkeypatch: pytest.MonkeyPatch, scripted: Scripted, ethernet: Interface
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: scripted)
    InternetSender(replace(ethernet, by_kernel=True), 4, LinkStatistics())
    assert scripted.device == b"eth0"
    with pytest.raises(PrivilegeError, match="cannot use interface eth9"):
        InternetSender(replace(ethernet, name="eth9", by_kernel=True), 4, LinkStatistics())
    assert scripted.closed


def test_frames_to_others(
    monkeypatch: pytest.MonkeyPatch, scripted: Scripted, ethernet: Interface, clock: SetClock
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(packet_socket, "see_everything", lambda opened, interface: seen.append((opened, interface)))
    PacketReceiver(ethernet, [], clock, LinkStatistics()).see_everything()
    assert seen == [(scripted, ethernet)]
