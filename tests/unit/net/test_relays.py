"""Chains of proxies before the scan: what is refused, what is looked up, what does not answer."""

from __future__ import annotations

import errno
import socket
import struct
from ipaddress import ip_address

import pytest

from leadline.errors import NetworkError, UsageError
from leadline.model.plan import Proxy
from leadline.net import relays as module
from leadline.net.base import Endpoint
from leadline.net.relays import find_relays
from tests.support.dialing import RealClock, closed_port, serving
from tests.support.proxies import SmallProxy


def test_every_mistake_at_once() -> None:
    chain = (Proxy("http", "a.example", 0), Proxy("http", "b.example", 1), Proxy("ftp", "c.example", 1))
    with pytest.raises(UsageError) as told:
        find_relays(chain)
    assert len(told.value.messages) == 2
    assert told.value.messages[0] == "http://a.example:0: 0 is no port"


def test_only_the_nearest_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def look_up(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(module.socket, "getaddrinfo", look_up)
    relays = find_relays((Proxy("http", "near.example", 3128), Proxy("socks5", "far.example", 1080)))
    assert asked == ["near.example"]
    assert relays.nearest == (socket.AF_INET, ("192.0.2.1", 3128))
    assert b"CONNECT far.example:1080 " in relays.tunnel(Endpoint(ip_address("192.0.2.9"), 80)).start()


@pytest.mark.parametrize("problem", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def look_up(*arguments: object, **options: object) -> object:
        raise problem

    monkeypatch.setattr(module.socket, "getaddrinfo", look_up)
    with pytest.raises(NetworkError, match=r"^http://near\.example:3128: "):
        find_relays((Proxy("http", "near.example", 3128),))


def test_addresses_of_both_families() -> None:
    assert find_relays((Proxy("http", "127.0.0.1", 1),)).nearest == (socket.AF_INET, ("127.0.0.1", 1))
    assert find_relays((Proxy("http", "::1", 2),)).nearest == (socket.AF_INET6, ("::1", 2, 0, 0))


def test_a_name_of_several_addresses_is_used_where_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """``localhost`` is ::1 first on many systems, and many proxies listen on 127.0.0.1 only."""
    places: list[tuple[object, ...]] = [(socket.AF_INET6, 1, 6, "", ("::1", 0, 0, 0))]
    monkeypatch.setattr(module.socket, "getaddrinfo", lambda *arguments, **options: places)
    with serving(lambda opened: None) as port:
        places[:] = [
            (socket.AF_INET6, 1, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, 1, 6, "", ("127.0.0.1", port)),
        ]
        relays = find_relays((Proxy("http", "localhost", port),))
        assert len(relays.places) == 2
        assert relays.reach(RealClock()).places == ((socket.AF_INET, ("127.0.0.1", port)),)


def test_reaching_the_last_proxy_through_the_others() -> None:
    first, second = SmallProxy("socks5"), SmallProxy("http")
    with serving(first.handle) as near, serving(second.handle) as far:
        find_relays((Proxy("socks5", "127.0.0.1", near),)).reach(RealClock())
        find_relays((Proxy("socks5", "127.0.0.1", near), Proxy("http", "127.0.0.1", far))).reach(RealClock())
    assert first.asked == [("127.0.0.1", far)]


def test_a_chain_that_does_not_work() -> None:
    closed, wanting = closed_port(), SmallProxy("socks5", "user", "password")
    with pytest.raises(NetworkError, match=f"http://127.0.0.1:{closed}: Connection refused"):
        find_relays((Proxy("http", "127.0.0.1", closed),)).reach(RealClock())
    with serving(wanting.handle) as near:
        chain = (Proxy("socks5", "127.0.0.1", near), Proxy("http", "127.0.0.1", closed))
        with pytest.raises(NetworkError, match=f"socks5://127.0.0.1:{near}: wants a user"):
            find_relays(chain).reach(RealClock())
        good = (Proxy("socks5", "127.0.0.1", near, "user", "password"), chain[1])
        with pytest.raises(NetworkError, match=f"socks5://127.0.0.1:{near}: connection refused"):
            find_relays(good).reach(RealClock())


def test_a_proxy_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    with serving(lambda opened: opened.recv(1000) and opened.recv(1) and None) as near:
        chain = (Proxy("socks5", "127.0.0.1", near), Proxy("http", "192.0.2.1", 3128))
        with pytest.raises(NetworkError, match="no connection within"):
            find_relays(chain).reach(RealClock())


def test_a_proxy_without_a_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.Stream, "connect", lambda *arguments: errno.ENETUNREACH)
    with pytest.raises(NetworkError, match=r"http://192\.0\.2\.1:1: Network is unreachable"):
        find_relays((Proxy("http", "192.0.2.1", 1),)).reach(RealClock())


def test_the_scope_of_a_target_is_not_told_to_a_proxy() -> None:
    relays = find_relays((Proxy("socks4", "127.0.0.1", 1),))
    sent = relays.tunnel(Endpoint(ip_address("2001:db8::1%eth0"), 80)).start()
    assert sent == b"\4\1" + struct.pack(">H", 80) + b"\0\0\0\1\x002001:db8::1\0"
