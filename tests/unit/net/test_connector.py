"""Connections to real listeners on loopback, and shortages played by a scripted socket."""

from __future__ import annotations

import errno
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from leadline.link.base import Connected
from leadline.net import burst as burst_module
from leadline.net import connector as module
from leadline.net.connector import EpollConnector, descriptor_capacity

V4, V6 = ip_address("127.0.0.1"), ip_address("::1")


class Clock:
    """Real, and forward by ``ahead`` seconds."""

    ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def epoch(self) -> float:
        return time.time()


@pytest.fixture
def connector() -> Iterator[EpollConnector]:
    made = EpollConnector(Clock(), 100)
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def port_of(opened: socket.socket) -> int:
    return int(opened.getsockname()[1])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return port_of(made)


def collect(connector: EpollConnector, wanted: int) -> dict[int, int]:
    """Results by token; every one must come exactly once, within five seconds."""
    found: list[Connected] = []
    deadline = time.monotonic() + 5
    while len(found) < wanted and time.monotonic() < deadline:
        found += connector.poll(0.2)
    assert len({each.token for each in found}) == len(found)
    return {each.token: each.error for each in found}


def test_open_and_closed(connector: EpollConnector, listener: socket.socket) -> None:
    before = time.monotonic()
    connector.start(1, V4, port_of(listener))
    connector.start(2, V4, closed_port())
    ended = connector.poll(2.0) + connector.poll(0.1)
    assert {each.token: each.error for each in ended} == {1: 0, 2: errno.ECONNREFUSED}
    assert all(before <= each.at <= time.monotonic() for each in ended)
    assert connector.poll(0.0) == []


def test_ipv6(connector: EpollConnector) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        connector.start(1, V6, port_of(listener))
        assert collect(connector, 1) == {1: 0}


def test_an_accepted_connection_is_reset(connector: EpollConnector, listener: socket.socket) -> None:
    connector.start(1, V4, port_of(listener))
    accepted, _ = listener.accept()
    assert collect(connector, 1) == {1: 0}
    accepted.settimeout(5)
    with accepted, pytest.raises(ConnectionResetError):
        accepted.recv(1)


def test_who_resets_behind_the_handshake_had_the_port_open(
    connector: EpollConnector, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reset(socket.socket):
        def connect_ex(self, address: object) -> int:
            return errno.ECONNRESET

    monkeypatch.setattr(burst_module.socket, "socket", Reset)
    connector.start(1, V4, port_of(listener))
    assert collect(connector, 1) == {1: 0}


def test_a_connection_to_oneself_is_told(
    connector: EpollConnector, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may pick the very port that is tried as our own: such a "success" proves nothing."""
    real = socket.socket
    port = closed_port()

    def bound(family: int, kind: int, protocol: int) -> socket.socket:
        opened = real(family, kind, protocol)
        opened.bind(("127.0.0.1", port))
        return opened

    monkeypatch.setattr(burst_module.socket, "socket", bound)
    connector.start(1, V4, port)
    assert collect(connector, 1) == {1: errno.EAGAIN}


def test_more_than_the_capacity_waits_inside(listener: socket.socket) -> None:
    connector = EpollConnector(Clock(), 3)
    refused = closed_port()
    for token in range(40):
        connector.start(token, V4, port_of(listener) if token % 2 else refused)
    results = collect(connector, 40)
    assert results == {token: 0 if token % 2 else errno.ECONNREFUSED for token in range(40)}
    connector.close()


def test_cancelled_attempts_are_never_reported(connector: EpollConnector, listener: socket.socket) -> None:
    connector.start(1, V4, port_of(listener))  # pending or accepted already
    connector.start(2, V4, closed_port())  # ended already
    connector.start(3, V4, port_of(listener))
    for token in (1, 2, 99):
        connector.cancel(token)
    assert collect(connector, 1) == {3: 0}
    assert connector.poll(0.05) == []
    connector.start(1, V4, port_of(listener))  # a token is free again
    assert collect(connector, 1) == {1: 0}


class Distant(socket.socket):
    """The answer takes its time: it is not there yet when ``connect`` is asked a second time, or a third."""

    asked = 0

    def getsockopt(self, level: int, option: int) -> int:  # type: ignore[override]
        return 0

    def connect_ex(self, address: object) -> int:
        self.asked += 1
        return int(super().connect_ex(address)) if self.asked % 4 in (0, 1) else errno.EALREADY


@pytest.fixture
def distant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burst_module.socket, "socket", Distant)


@pytest.mark.usefixtures("distant")
def test_a_pending_token_cannot_be_used_twice(connector: EpollConnector, listener: socket.socket) -> None:
    connector.start(1, V4, port_of(listener))
    with pytest.raises(ValueError, match="1"):
        connector.start(1, V4, port_of(listener))
    connector.start_all([(token, V4, port_of(listener), "") for token in range(2, 103)])
    with pytest.raises(ValueError, match="102"):
        connector.start(102, V4, port_of(listener))  # waits for a free place


@pytest.mark.usefixtures("distant")
def test_answers_that_come_later(connector: EpollConnector, listener: socket.socket) -> None:
    refused = closed_port()
    for _ in range(3):  # sockets are used again from the second turn on
        connector.start_all([(token, V4, port_of(listener) if token % 3 else refused, "") for token in range(12)])
        assert connector._pending
        assert collect(connector, 12) == {token: 0 if token % 3 else errno.ECONNREFUSED for token in range(12)}
        assert not connector._pending
    connector.start_all([(1, V4, refused, ""), (2, V4, refused, "")])
    connector.cancel(1)
    assert collect(connector, 1) == {2: errno.ECONNREFUSED}


def test_errors_that_only_asking_tells(connector: EpollConnector, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(socket.socket):
        asked = 0

        def connect_ex(self, address: object) -> int:
            return errno.EALREADY

        def getsockopt(self, level: int, option: int) -> int:  # type: ignore[override]
            self.asked += 1
            return errno.EHOSTUNREACH if self.asked > 1 else 0

    monkeypatch.setattr(burst_module.socket, "socket", Unreachable)
    connector.start(1, V4, 80)
    assert collect(connector, 1) == {1: errno.EHOSTUNREACH}
    assert connector._pending == {}


def test_refused_connections_use_few_sockets(connector: EpollConnector, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []

    class Counted(socket.socket):
        def __init__(self, *arguments: int) -> None:
            made.append(self)
            super().__init__(*arguments)

    refused = closed_port()
    monkeypatch.setattr(burst_module.socket, "socket", Counted)
    for _ in range(3):
        connector.start_all([(token, V4, refused, "") for token in range(200)])
        assert collect(connector, 200) == dict.fromkeys(range(200), errno.ECONNREFUSED)
    assert len(made) <= 2


def test_a_large_start_is_shared(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    real = module.launch

    def launch(*arguments: object) -> object:
        threads.add(threading.get_ident())
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "launch", launch)
    for pays in (True, False):
        monkeypatch.setattr(module.SecondThread, "pays", lambda pays=pays: pays)
        connector = EpollConnector(Clock(), 1000)
        refused = closed_port()
        connector.start_all([(token, V4, refused if token % 2 else port_of(listener), "") for token in range(90)])
        assert collect(connector, 90) == {token: errno.ECONNREFUSED if token % 2 else 0 for token in range(90)}
        assert len(threads) == 1 + pays
        threads.clear()
        connector.close()


def test_poll_waits_as_long_as_asked(connector: EpollConnector) -> None:
    before = time.monotonic()
    assert connector.poll(0.05) == []
    assert time.monotonic() - before >= 0.04


class Short:
    """A socket that is refused for want of something on our side, ``times`` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: int, at_connect: bool, times: int) -> None:
        self.times = times
        real = socket.socket
        short = self

        class Scripted(real):  # type: ignore[misc, valid-type]
            def connect_ex(self, address: object) -> int:
                if at_connect and short.used():
                    return error
                return int(super().connect_ex(address))

        def make(family: int, kind: int, protocol: int) -> socket.socket:
            if not at_connect and short.used():
                raise OSError(error, "scripted")
            return Scripted(family, kind, protocol)

        monkeypatch.setattr(burst_module.socket, "socket", make)

    def used(self) -> bool:
        self.times -= 1
        return self.times >= 0


@pytest.mark.parametrize(
    ("error", "at_connect"), [(errno.EMFILE, False), (errno.ENOBUFS, False), (errno.EADDRNOTAVAIL, True)]
)
def test_our_own_shortage_is_not_the_targets_answer(
    connector: EpollConnector, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, error: int, at_connect: bool
) -> None:
    Short(monkeypatch, error, at_connect, 3)
    connector.start(1, V4, port_of(listener))
    connector.start(2, V4, port_of(listener))
    connector.start(3, V4, port_of(listener))
    connector.cancel(2)  # still queued
    assert collect(connector, 2) == {1: 0, 3: 0}


def test_a_shortage_without_end_is_reported(
    connector: EpollConnector, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    Short(monkeypatch, errno.EADDRNOTAVAIL, True, 1 << 30)
    connector.start(1, V4, port_of(listener))
    assert connector.poll(0.05) == []
    monkeypatch.setattr(Clock, "ahead", 10.0)
    assert collect(connector, 1) == {1: errno.EADDRNOTAVAIL}


def test_a_family_that_the_machine_lacks(
    connector: EpollConnector, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    Short(monkeypatch, errno.EAFNOSUPPORT, False, 1)
    connector.start(1, V4, port_of(listener))
    assert collect(connector, 1) == {1: errno.EAFNOSUPPORT}


def test_scopes(connector: EpollConnector) -> None:
    link_local = ip_address("fe80::1")
    connector.start(1, link_local, 80, scope="no-such-device")
    connector.start(2, link_local, 80)
    connector.start(3, link_local, 80, scope="4000000000")
    connector.start(4, link_local, 80, scope="\0")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        connector.start(5, V6, port_of(listener), scope="lo")
        results = collect(connector, 5)
    assert results[1] == results[4] == errno.ENODEV
    assert results[2] == errno.EINVAL
    assert results[3] != 0
    assert results[5] == 0


def test_closing_forgets_everything(listener: socket.socket) -> None:
    connector = EpollConnector(Clock(), 1)
    for token in range(3):
        connector.start(token, V4, port_of(listener))
    connector.close()
    assert connector._pending == {}


def test_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(module.resource, "getrlimit", lambda which: (1024, 4096))
    monkeypatch.setattr(module.resource, "setrlimit", lambda which, limits: raised.append(limits))
    assert descriptor_capacity(None) == 4096 - module.RESERVE
    assert raised == [(4096, 4096)]
    assert descriptor_capacity(10) == 10
    assert descriptor_capacity(0) == 1

    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(module.resource, "setrlimit", refuse)
    assert descriptor_capacity(None) == 1024 - module.RESERVE
    monkeypatch.setattr(module.resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert descriptor_capacity(None) == 1 << 16
    monkeypatch.setattr(module.resource, "getrlimit", lambda which: (64, 64))
    assert descriptor_capacity(None) == 16  # a quarter is better than one after the other
    monkeypatch.setattr(module.resource, "getrlimit", lambda which: (5, 5))
    assert descriptor_capacity(None) == 1


def test_until_when_one_may_sleep(connector: EpollConnector, listener: socket.socket) -> None:
    now = time.monotonic()
    assert connector.next_look(now + 5) == now + 5
    connector.start(1, V4, port_of(listener))
    connector.start(2, V4, closed_port())
    select.select([connector.descriptor], [], [], 5.0)
    assert collect(connector, 2)[1] == 0
    connector.start(3, ip_address("fe80::1"), 9, "nosuch0")
    assert connector.next_look(now + 5) < now, "it has ended already"
    assert collect(connector, 1) == {3: errno.ENODEV}
