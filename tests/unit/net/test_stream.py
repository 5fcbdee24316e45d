"""One stream alone: what happens at its edges, step by step, without a dialer."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Iterator

import pytest

from leadline.model.plan import Proxy
from leadline.net import stream as module
from leadline.net.base import Ended, Opened, Received
from leadline.net.proxy import Hop, Tunnel
from leadline.net.stream import MOST_QUEUED, Stream
from tests.support.dialing import closed_port, here

AT = 5.0


class Pair:
    """A stream that is open, and the socket at the other end."""

    def __init__(self, tunnel: Tunnel | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            self.stream = Stream(1, here(address[1]), tunnel)
            assert self.stream.connect(socket.AF_INET, address) == 0
            assert self.stream.interest == select.EPOLLOUT
            self.peer, _ = server.accept()
        self.peer.settimeout(5)
        self.opened = self.stream.ready(select.EPOLLOUT, AT)

    def reset(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, module.RESET_ON_CLOSE)
        self.peer.close()
        time.sleep(0.02)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    assert made.opened == [Opened(1, AT)]
    assert made.stream.plain
    yield made
    made.stream.close()
    made.peer.close()


def read(stream: Stream) -> list[object]:
    """All events until it ends or nothing more is there."""
    events: list[object] = []
    while not stream.ended and select.select([stream.descriptor], [], [], 0.05)[0]:
        events += stream.ready(select.EPOLLIN, AT)
    return events


def test_nothing_to_read_is_no_event(pair: Pair) -> None:
    assert pair.stream.ready(select.EPOLLIN, AT) == []
    assert pair.stream.ready(select.EPOLLOUT, AT) == []
    assert pair.stream.interest == select.EPOLLIN


def test_bytes_before_a_reset_are_not_lost(pair: Pair) -> None:
    pair.peer.sendall(b"before")
    pair.reset()
    assert read(pair.stream) == [
        Received(1, AT, b"before"),
        Ended(1, AT, "stream", errno.ECONNRESET, "Connection reset by peer"),
    ]
    assert pair.stream.descriptor == -1
    assert pair.stream.send(b"nothing", AT) == []


def test_a_reset_that_sending_met_is_told_after_what_came_before(pair: Pair) -> None:
    pair.peer.sendall(b"before")
    pair.reset()
    assert pair.stream.send(b"to nobody", AT) == []
    events = read(pair.stream)
    assert events == [Received(1, AT, b"before"), Ended(1, AT, "stream", errno.ECONNRESET, "Connection reset by peer")]


def test_who_ended_in_order_did_so_although_our_bytes_came_too_late(pair: Pair) -> None:
    pair.peer.sendall(b"bye")
    pair.peer.close()
    time.sleep(0.02)
    for _ in range(3):
        pair.stream.send(b"late", AT)  # answered with a RST
        time.sleep(0.02)
    events = read(pair.stream)
    assert events[0] == Received(1, AT, b"bye")
    assert isinstance(events[-1], Ended)
    assert events[-1].phase == "stream"
    assert events[-1].error == 0


def test_what_the_kernel_does_not_take_waits(pair: Pair) -> None:
    while not pair.stream.interest & select.EPOLLOUT:
        assert pair.stream.send(bytes(100_000), AT) == []
    assert len(pair.peer.recv(1 << 20)) > 0
    assert pair.stream.send(bytes(8 * MOST_QUEUED), AT) == [
        Ended(1, AT, "stream", errno.ENOBUFS, f"more than {MOST_QUEUED} bytes wait to be sent")
    ]
    assert pair.stream.ended


def test_a_refusal_and_a_family_that_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(1, here(1))
    error = stream.connect(socket.AF_INET, ("127.0.0.1", closed_port()))
    assert error == errno.ECONNREFUSED
    assert stream.ended
    stream.revive()
    assert stream.send(b"kept", AT) == []

    def lacking(*arguments: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "scripted")

    monkeypatch.setattr(module.socket, "socket", lacking)
    assert stream.connect(socket.AF_INET6, ("::1", 1, 0, 0)) == errno.EAFNOSUPPORT
    assert stream.descriptor == -1
    stream.close()


CHAIN = (Proxy("socks4", "192.0.2.1", 1080),)


def test_through_a_proxy_that_gives_the_targets_words_along() -> None:
    pair = Pair(Tunnel(CHAIN, Hop("192.0.2.9", 25)))
    assert pair.opened == []
    pair.stream.send(b"early", AT)
    assert pair.peer.recv(100) == b"\4\1\0\x19\xc0\0\2\x09\0"
    pair.peer.sendall(b"\0\x5a" + bytes(6) + b"220 hello")
    time.sleep(0.02)
    assert read(pair.stream) == [Opened(1, AT), Received(1, AT, b"220 hello")]
    assert pair.peer.recv(100) == b"early"
    pair.stream.close()
    pair.peer.close()


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (b"\0\x5b" + bytes(6), ("connect", errno.ENONET, "socks4://192.0.2.1:1080: request rejected or failed")),
        (b"\0\x5d" + bytes(6), ("proxy", errno.EACCES, "socks4://192.0.2.1:1080: the user is refused (identd)")),
        (b"\0", ("proxy", errno.ECONNRESET, "socks4://192.0.2.1:1080: closed without an answer")),
    ],
)
def test_proxies_that_refuse(answer: bytes, ended: tuple[str, int, str]) -> None:
    pair = Pair(Tunnel(CHAIN, Hop("192.0.2.9", 25)))
    pair.peer.recv(100)
    pair.peer.sendall(answer)
    pair.peer.close()
    time.sleep(0.02)
    assert read(pair.stream) == [Ended(1, AT, *ended)]


def test_a_reset_while_proxies_are_spoken_to_is_the_proxys() -> None:
    pair = Pair(Tunnel(CHAIN, Hop("192.0.2.9", 25)))
    pair.reset()
    assert read(pair.stream) == [
        Ended(1, AT, "proxy", errno.ECONNRESET, "socks4://192.0.2.1:1080: Connection reset by peer")
    ]


def test_closing_twice_with_a_reset(pair: Pair) -> None:
    pair.stream.close(reset=True)
    pair.stream.close(reset=True)
    with pytest.raises(ConnectionResetError):
        pair.peer.recv(1)
