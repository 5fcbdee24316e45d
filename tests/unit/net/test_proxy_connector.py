"""The connect scan through proxies: their answers as errnos, and their own failure told once."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from leadline.errors import NetworkError
from leadline.model.plan import Proxy
from leadline.net import proxy_connector as module
from leadline.net.connector import EpollConnector, open_connector
from leadline.net.dialer import MOST_THROUGH_PROXIES
from leadline.net.proxy_connector import ProxyConnector
from tests.support.dialing import RealClock, closed_port, serving
from tests.support.proxies import SmallProxy

V4, V6 = ip_address("127.0.0.1"), ip_address("::1")


def collect(connector: ProxyConnector, wanted: int) -> dict[int, int]:
    found: dict[int, int] = {}
    deadline = time.monotonic() + 10
    while len(found) < wanted and time.monotonic() < deadline:
        found |= {each.token: each.error for each in connector.poll(0.2)}
    return found


@pytest.fixture
def open_port() -> Iterator[int]:
    with serving(lambda opened: opened.sendall(b"hello")) as port:
        yield port


@pytest.mark.parametrize(
    ("kind", "refused"), [("http", errno.ECONNREFUSED), ("socks4", errno.ENONET), ("socks5", errno.ECONNREFUSED)]
)
def test_open_and_closed(kind: str, refused: int, open_port: int) -> None:
    with serving(SmallProxy(kind).handle) as port, serving(lambda opened: None, "::1") as open_v6:
        connector = ProxyConnector(RealClock(), None, (Proxy(kind, "127.0.0.1", port),))
        assert connector.capacity == MOST_THROUGH_PROXIES
        connector.start(1, V4, open_port)
        connector.start(2, V4, closed_port())
        connector.start(3, V6, open_v6)
        connector.start(4, ip_address("fe80::1"), 80, "eth0")
        with pytest.raises(ValueError, match="1"):
            connector.start(1, V4, open_port)
        assert collect(connector, 4) == {1: 0, 2: refused, 3: 0, 4: errno.ENETUNREACH}
        connector.close()


def test_through_a_chain(open_port: int) -> None:
    first, second = SmallProxy("http", "a", "b"), SmallProxy("socks5", "c", "d", names={"inner.example": "127.0.0.1"})
    first.names["inner.example"] = "127.0.0.1"
    with serving(first.handle) as near, serving(second.handle) as far:
        chain = (Proxy("http", "127.0.0.1", near, "a", "b"), Proxy("socks5", "inner.example", far, "c", "d"))
        connector = ProxyConnector(RealClock(), 5, chain)
        connector.start(1, V4, open_port)
        assert collect(connector, 1) == {1: 0}
        connector.close()
    assert first.asked[-1] == ("inner.example", far)
    assert second.asked == [("127.0.0.1", open_port)]


def test_more_than_the_capacity(open_port: int) -> None:
    with serving(SmallProxy("socks5").handle) as port:
        connector = ProxyConnector(RealClock(), 5, (Proxy("socks5", "127.0.0.1", port),))
        assert connector.capacity == 5
        for token in range(-10, 10):
            connector.start(token, V4, open_port)
        assert collect(connector, 20) == dict.fromkeys(range(-10, 10), 0)
        connector.close()


def test_cancelled_attempts_are_not_told(open_port: int) -> None:
    with serving(SmallProxy("socks5").handle) as port:
        connector = ProxyConnector(RealClock(), 5, (Proxy("socks5", "127.0.0.1", port),))
        connector.start(1, V4, open_port)
        connector.start(2, V4, open_port)
        connector.cancel(1)
        connector.cancel(99)
        assert collect(connector, 1) == {2: 0}
        assert connector.poll(0.05) == []
        connector.close()


@pytest.mark.parametrize(("user", "words"), [("", "wants a user"), ("x", "user and password are refused")])
def test_a_proxy_that_refuses_us_is_told_once(user: str, words: str, open_port: int) -> None:
    with serving(SmallProxy("socks5", "good", "secret").handle) as port:
        connector = ProxyConnector(RealClock(), 5, (Proxy("socks5", "127.0.0.1", port, user),))
        connector.start(1, V4, open_port)
        with pytest.raises(NetworkError, match=words):
            collect(connector, 1)
        connector.close()


def test_what_is_no_proxy_is_told_once(open_port: int) -> None:
    connector = ProxyConnector(RealClock(), 5, (Proxy("http", "127.0.0.1", open_port),))
    connector.start(1, V4, open_port)
    with pytest.raises(NetworkError, match="no HTTP proxy"):
        collect(connector, 1)
    connector.close()


def test_no_proxy_at_all_is_told_before_anything() -> None:
    with pytest.raises(NetworkError, match="refused"):
        ProxyConnector(RealClock(), 5, (Proxy("http", "127.0.0.1", closed_port()),))


def test_a_single_failure_on_the_way_is_silence(open_port: int) -> None:
    with serving(lambda opened: opened.recv(2) and None) as port:
        connector = ProxyConnector(RealClock(), 5, (Proxy("socks5", "127.0.0.1", port),))
        connector.start(1, V4, open_port)
        assert collect(connector, 1) == {1: errno.ETIMEDOUT}
        connector.close()


def test_a_proxy_that_goes_away_is_told_once(open_port: int) -> None:
    clock = RealClock()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        connector = ProxyConnector(clock, 50, (Proxy("socks5", "127.0.0.1", port),))
    for token in range(module.SUSPICIOUS_FAILURES):
        connector.start(token, V4, open_port)
    assert set(collect(connector, module.SUSPICIOUS_FAILURES).values()) == {errno.ETIMEDOUT}
    clock.ahead = module.SUSPICIOUS_SECONDS + 1
    with pytest.raises(NetworkError, match="Connection refused"):
        connector.poll(0.0)
    connector.close()


def test_a_silent_proxy_is_suspected_and_acquitted_when_it_lives(open_port: int) -> None:
    clock = RealClock()
    with serving(lambda opened: opened.recv(1000) and opened.recv(1) and None) as port:
        connector = ProxyConnector(clock, 50, (Proxy("socks5", "127.0.0.1", port),))
        for token in range(module.SUSPICIOUS_FAILURES):
            connector.start(token, V4, open_port)
            connector.cancel(token)
        clock.ahead = module.SUSPICIOUS_SECONDS + 1
        assert connector.poll(0.0) == []
        assert connector._unanswered == 0
        connector.close()


def test_which_connector_a_scan_gets() -> None:
    straight = open_connector(RealClock(), 3)
    assert isinstance(straight, EpollConnector)
    straight.close()
    with serving(lambda opened: None) as port:
        relayed = open_connector(RealClock(), 3, (Proxy("http", "127.0.0.1", port),))
        assert isinstance(relayed, ProxyConnector)
        relayed.close()
