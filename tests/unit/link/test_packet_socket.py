"""Packet sockets: who can mend which error, and what the kernel is told."""

from __future__ import annotations

import errno
import mmap
import socket
import struct
import time

import pytest

from leadline.errors import LinkError, PrivilegeError
from leadline.link import packet_socket
from leadline.link.base import Interface


class Scripted:
    """A socket that remembers its options and fails where it is told to."""

    def __init__(self, fail: dict[object, int] | None = None, pending: int = 0) -> None:
        self.fail = fail or {}
        self.pending = pending
        self.options: list[tuple[int, int, object]] = []
        self.closed = False
        self.bound: object = None
        self.blocking = True

    def setblocking(self, flag: bool) -> None:
        self.blocking = flag

    def setsockopt(self, level: int, option: int, value: object) -> None:
        if option in self.fail:
            raise OSError(self.fail[option], "scripted")
        self.options.append((level, option, value))

    def getsockopt(self, level: int, option: int, size: int = 0) -> object:
        if option in self.fail:
            raise OSError(self.fail[option], "scripted")
        return struct.pack("=II", 100, 7) if size else self.pending

    def bind(self, address: object) -> None:
        if "bind" in self.fail:
            raise OSError(self.fail["bind"], "scripted")
        self.bound = address

    def close(self) -> None:
        self.closed = True


def use(monkeypatch: pytest.MonkeyPatch, scripted: Scripted | int) -> None:
    def make(family: int, kind: int, protocol: int) -> Scripted:
        assert (family, kind, protocol) == (socket.AF_PACKET, socket.SOCK_RAW, 0)
        if isinstance(scripted, int):
            raise OSError(scripted, "scripted")
        return scripted

    monkeypatch.setattr(socket, "socket", make)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EPERM, PrivilegeError), (errno.EACCES, PrivilegeError), (errno.EAFNOSUPPORT, LinkError)]
)
def test_opening_tells_who_can_mend_it(monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]) -> None:
    use(monkeypatch, number)
    with pytest.raises(kind, match="packet socket"):
        packet_socket.open_packet_socket()


def test_nothing_unfiltered_gets_in(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    """The filter is in place on a socket that is not bound and has no protocol."""
    scripted = Scripted({packet_socket.PACKET_IGNORE_OUTGOING: errno.ENOPROTOOPT})
    use(monkeypatch, scripted)
    packet_socket.open_capture_socket(ethernet, [(6, 0, 0, 1), (6, 0, 0, 0)])
    assert scripted.bound is None
    assert not scripted.blocking
    [(level, option, value)] = scripted.options
    assert (level, option) == (socket.SOL_SOCKET, packet_socket.SO_ATTACH_FILTER)
    assert isinstance(value, bytes)
    assert struct.unpack("@HP", value)[0] == 2


def test_a_refused_filter_closes_the_socket(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    scripted = Scripted({packet_socket.SO_ATTACH_FILTER: errno.EINVAL})
    use(monkeypatch, scripted)
    with pytest.raises(LinkError, match="filter"):
        packet_socket.open_capture_socket(ethernet, [])
    assert scripted.closed


def test_binding(ethernet: Interface) -> None:
    scripted = Scripted()
    packet_socket.bind(scripted, ethernet, 3)  # type: ignore[arg-type]
    assert scripted.bound == ("eth0", 3)
    for broken in (Scripted({"bind": errno.ENODEV}), Scripted(pending=errno.ENETDOWN)):
        with pytest.raises(LinkError, match="eth0"):
            packet_socket.bind(broken, ethernet, 3)  # type: ignore[arg-type]


def test_frames_to_others_are_asked_for(ethernet: Interface) -> None:
    scripted = Scripted()
    packet_socket.see_everything(scripted, ethernet)  # type: ignore[arg-type]
    [(level, option, request)] = scripted.options
    assert (level, option) == (263, 1)
    assert isinstance(request, bytes)
    assert struct.unpack("=iHH8s", request) == (ethernet.index, 1, 0, bytes(8))
    with pytest.raises(PrivilegeError, match="all frames on eth0"):
        packet_socket.see_everything(Scripted({1: errno.EPERM}), ethernet)  # type: ignore[arg-type]


def test_drops() -> None:
    assert packet_socket.take_drops(Scripted()) == 7  # type: ignore[arg-type]
    gone = Scripted({packet_socket.PACKET_STATISTICS: errno.EBADF})
    assert packet_socket.take_drops(gone) == 0  # type: ignore[arg-type]


def test_only_a_dead_interface_is_an_error(ethernet: Interface) -> None:
    packet_socket.check_alive(Scripted(pending=errno.EAGAIN), ethernet)  # type: ignore[arg-type]
    with pytest.raises(LinkError, match="eth0"):
        packet_socket.check_alive(Scripted(pending=errno.ENETDOWN), ethernet)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [0.0, 0.001, 1.0])
def test_waiting_for_something_to_read(monkeypatch: pytest.MonkeyPatch, timeout: float) -> None:
    near, far = socket.socketpair()
    with near, far:
        for limit in (packet_socket.SELECT_LIMIT, 0):
            monkeypatch.setattr(packet_socket, "SELECT_LIMIT", limit)
            assert timeout > 0.5 or not packet_socket.wait_readable(near, timeout)
        far.send(b"!")
        for limit in (1024, 0):
            monkeypatch.setattr(packet_socket, "SELECT_LIMIT", limit)
            assert packet_socket.wait_readable(near, timeout)


@pytest.mark.parametrize("timeout", [0.01, 0.05])
def test_waiting_for_any_of_several(timeout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    descriptors = [near.fileno() for near, _ in pairs]
    try:
        for limit in (packet_socket.SELECT_LIMIT, 0):
            monkeypatch.setattr(packet_socket, "SELECT_LIMIT", limit)
            begun = time.monotonic()
            packet_socket.wait_any(descriptors, timeout)
            assert time.monotonic() - begun >= timeout * 0.9
        pairs[1][1].send(b"!")
        begun = time.monotonic()
        packet_socket.wait_any(descriptors, 30.0)
        packet_socket.wait_any([], 0.0)
        assert time.monotonic() - begun < 20
    finally:
        for near, far in pairs:
            near.close()
            far.close()


def test_a_mapping_that_is_read_is_given_back_later() -> None:
    memory = mmap.mmap(-1, 4096)
    view = memoryview(memory)
    opened = socket.socket()
    packet_socket.give_up(opened, memory)
    assert not memory.closed
    view.release()
    packet_socket.give_up(opened, memory)
    assert memory.closed
    assert opened.fileno() < 0
