"""UDP dialogues on loopback: datagrams keep their edges, ICMP errors end them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from leadline.net import datagrams as module
from leadline.net.base import Ended, Opened, Received
from leadline.net.datagrams import MOST_WAITING, Datagrams
from leadline.net.dialer import EpollDialer
from tests.support.dialing import RealClock, Talk, here


@pytest.fixture
def talk() -> Iterator[Talk]:
    dialer = EpollDialer(RealClock(), 50)
    yield Talk(dialer)
    dialer.close_all()


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        made.bind((request.param, 0))
        made.settimeout(5)
        yield made


def test_datagrams_keep_their_edges(talk: Talk, server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    talk.dialer.open(1, here(port, udp=True, host=host))
    talk.dialer.send(1, b"one")
    talk.dialer.send(1, b"two")
    talk.until_opened(1)
    received, peer = server.recvfrom(100)
    assert (received, server.recv(100)) == (b"one", b"two")
    for answer in (b"first", b"", b"x" * 60_000):
        server.sendto(answer, peer)
    talk.until(lambda: len(talk.events) == 4)
    assert [each.data for each in talk.events if isinstance(each, Received)] == [b"first", b"", b"x" * 60_000]


def test_answers_of_strangers_do_not_arrive(talk: Talk, server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    talk.dialer.open(1, here(port, udp=True, host=host))
    talk.dialer.send(1, b"question")
    _, peer = server.recvfrom(100)
    with socket.socket(server.family, socket.SOCK_DGRAM) as stranger:
        stranger.bind((host, 0))
        stranger.sendto(b"forged", peer)
    server.sendto(b"real", peer)
    talk.until(lambda: bool(talk.received(1)))
    talk.events += talk.dialer.poll(0.05)
    assert talk.received(1) == b"real"


def test_an_icmp_error_ends_it(talk: Talk, server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    server.close()
    talk.dialer.open(1, here(port, udp=True, host=host))
    talk.dialer.send(1, b"anybody?")
    talk.until_ended(1)
    assert talk.kinds(1) == ["Opened", "Ended"]
    assert talk.ended(1) == ("stream", errno.ECONNREFUSED, "Connection refused")


def test_an_icmp_error_that_sending_meets(talk: Talk, server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    server.close()
    talk.dialer.open(1, here(port, udp=True, host=host))
    talk.dialer.send(1, b"anybody?")
    talk.dialer.send(1, b"anybody?")
    talk.until_ended(1)
    assert talk.ended(1)[:2] == ("stream", errno.ECONNREFUSED)


def test_a_datagram_that_is_too_large(talk: Talk, server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    talk.dialer.open(1, here(port, udp=True, host=host))
    talk.dialer.send(1, bytes(70_000))
    talk.until_ended(1)
    assert talk.ended(1)[:2] == ("stream", errno.EMSGSIZE)


class Full:
    """A socket that has no room for sending, ``times`` times."""

    def __init__(self, real: socket.socket, times: int) -> None:
        self.real, self.times = real, times
        self.fileno, self.recv, self.close = real.fileno, real.recv, real.close

    def send(self, data: bytes) -> int:
        self.times -= 1
        if self.times >= 0:
            raise OSError(errno.EAGAIN, "scripted")
        return self.real.send(data)


def test_without_room_datagrams_wait(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    made = Datagrams(1, here(port, udp=True, host=host))
    assert made.send(b"before", 1.0) == []
    assert made.connect(server.family, server.getsockname()) == 0
    made._socket = Full(made._socket, 2)  # type: ignore[assignment, arg-type]
    assert made.opened(2.0) == [Opened(1, 2.0)]
    assert made.send(b"after", 2.0) == []
    assert made.interest == module.select.EPOLLIN | module.select.EPOLLOUT
    assert made.ready(module.select.EPOLLOUT, 3.0) == []
    assert (server.recv(100), server.recv(100)) == (b"before", b"after")
    assert made.interest == module.select.EPOLLIN
    assert made.ready(module.select.EPOLLIN, 3.0) == []
    made._socket.times = 1 << 30  # type: ignore[union-attr]
    events = [event for _ in range(MOST_WAITING + 1) for event in made.send(b"x", 4.0)]
    assert [type(event) for event in events] == [Ended]
    made.close()


def test_a_family_that_the_machine_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Datagrams(1, here(1, udp=True))

    def lacking(*arguments: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "scripted")

    assert made.connect(socket.AF_INET, ("255.255.255.255", 1)) == errno.EACCES
    made.revive()
    assert not made.ended
    monkeypatch.setattr(module.socket, "socket", lacking)
    assert made.connect(socket.AF_INET6, ("::1", 1, 0, 0)) == errno.EAFNOSUPPORT
    assert made.descriptor == -1
    assert made.fail(1.0, errno.EAFNOSUPPORT).phase == "connect"
