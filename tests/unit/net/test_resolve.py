import socket
import subprocess
import sys
import threading
from ipaddress import ip_address

import pytest

from leadline.errors import UsageError
from leadline.model.ip import Address
from leadline.model.plan import ResolvePlan
from leadline.net import resolve
from leadline.net.resolve import DnsResolver, SystemResolver, make_resolver
from leadline.net.system_files import HOSTS, NameServer, ResolverConfiguration, parse_hosts
from tests.support.dns_server import DnsServer
from tests.support.twin_resolver import TwinResolver

BOTH = frozenset({4, 6})
ZONE = {"www.example.test": ["2001:db8::5", "10.0.0.5"], "mail.example.test": ["10.0.0.6"]}


def never() -> bool:
    return False


def at(server: DnsServer, search: tuple[str, ...] = ()) -> ResolverConfiguration:
    return ResolverConfiguration((NameServer(server.address, server.port),), search)


def v(*texts: str) -> tuple[Address, ...]:
    return tuple(ip_address(text) for text in texts)


def test_forward_and_reverse() -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        resolver = DnsResolver(at(server), parse_hosts([]))
        names = ["www.example.test", "gone.example.test", "mail.example.test", "www.example.test"]
        assert resolver.forward(names, BOTH, never) == {
            "www.example.test": v("10.0.0.5", "2001:db8::5"),
            "mail.example.test": v("10.0.0.6"),
        }
        assert resolver.forward(["www.example.test"], frozenset({6}), never) == {"www.example.test": v("2001:db8::5")}
        asked = v("10.0.0.5", "10.0.0.77", "2001:db8::5")
        assert resolver.reverse(asked, never) == {
            asked[0]: "www.example.test",
            asked[2]: "www.example.test",
        }


def test_thousands_of_pointers() -> None:
    zone = {f"h{i}.test": [f"10.1.{i >> 8}.{i & 255}"] for i in range(1500)}
    with DnsServer("127.0.0.1", zone) as server:
        resolver = DnsResolver(at(server), parse_hosts([]))
        found = resolver.reverse([ip_address(f"10.1.{i >> 8}.{i & 255}") for i in range(1500)], never)
    assert found == {ip_address(texts[0]): name for name, texts in zone.items()}


def test_the_hosts_file_goes_first() -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        resolver = DnsResolver(at(server), parse_hosts(["10.9.9.9 www.example.test", "10.0.0.6 printer"]))
        assert resolver.forward(["www.example.test"], BOTH, never) == {"www.example.test": v("10.9.9.9")}
        assert resolver.reverse(v("10.0.0.6"), never) == {ip_address("10.0.0.6"): "printer"}
        assert server.queries == []


def test_search_domains() -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        resolver = DnsResolver(at(server, ("other.test", "example.test")), parse_hosts([]))
        assert resolver.forward(["mail"], BOTH, never) == {"mail": v("10.0.0.6")}


def test_the_fallback_gets_only_what_is_in_doubt() -> None:
    fallback = TwinResolver({"printer.local": ("10.0.0.9",), "box": ("10.0.0.8",)})
    with DnsServer("127.0.0.1", ZONE) as server:
        resolver = DnsResolver(at(server), parse_hosts([]), fallback)
        names = ["mail.example.test", "gone.example.test", "printer.local", "box", "no"]
        assert resolver.forward(names, BOTH, never) == {
            "mail.example.test": v("10.0.0.6"),
            "printer.local": v("10.0.0.9"),
            "box": v("10.0.0.8"),
        }
    assert [sorted(asked) for asked in fallback.asked] == [["box", "no", "printer.local"]]


def test_without_an_answer_the_fallback_is_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        closed = NameServer("127.0.0.1", held.getsockname()[1])
    fallback = TwinResolver(ZONE)
    resolver = DnsResolver(ResolverConfiguration((closed,)), parse_hosts([]), fallback)
    assert resolver.forward(["mail.example.test"], BOTH, never) == {"mail.example.test": v("10.0.0.6")}


def test_stop_before_the_first_question() -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        resolver = DnsResolver(at(server), parse_hosts(["10.9.9.9 here"]), TwinResolver(ZONE))
        assert resolver.forward(["here", "www.example.test"], BOTH, lambda: True) == {"here": v("10.9.9.9")}
        assert resolver.reverse(v("10.0.0.5"), lambda: True) == {}
        assert server.queries == []


def test_the_system_resolver_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(name: str, port: object, type: int) -> list[tuple[object, ...]]:  # noqa: A002
        if name == "gone.test":
            raise socket.gaierror(socket.EAI_NONAME, "no")
        if name == "bad.test":
            raise UnicodeError
        return [
            (socket.AF_INET6, type, 6, "", ("fe80::1%2", 0, 0, 2)),
            (socket.AF_INET, type, 6, "", ("10.0.0.1", 0)),
            (socket.AF_INET, type, 6, "", ("10.0.0.1", 0)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = SystemResolver()
    assert resolver.forward(["a.test", "gone.test", "bad.test", "a.test"], BOTH, never) == {
        "a.test": v("10.0.0.1", "fe80::1")
    }
    assert resolver.forward(["a.test"], frozenset({6}), never) == {"a.test": v("fe80::1")}
    assert resolver.forward([], BOTH, never) == {}


def test_the_system_resolver_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"10.0.0.1": "one.test", "10.0.0.2": "evil\x1b[2J.test"}

    def getnameinfo(address: tuple[str, int], flags: int) -> tuple[str, str]:
        assert flags == socket.NI_NAMEREQD
        if address[0] not in names:
            raise socket.gaierror(socket.EAI_NONAME, "no")
        return names[address[0]], "0"

    monkeypatch.setattr(socket, "getnameinfo", getnameinfo)
    addresses = v("10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert SystemResolver().reverse(addresses, never) == {addresses[0]: "one.test"}


def test_a_hanging_lookup_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    stopped = threading.Event()

    def getnameinfo(address: tuple[str, int], flags: int) -> tuple[str, str]:
        if address[0] == "10.0.0.1":
            return "one.test", "0"
        stopped.set()
        released.wait(30)
        return "late.test", "0"

    monkeypatch.setattr(socket, "getnameinfo", getnameinfo)
    addresses = v("10.0.0.1", "10.0.0.2")
    found = SystemResolver().reverse(addresses, stopped.is_set)
    assert "late.test" not in found.values()
    released.set()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    contents = {HOSTS: ["10.0.0.1 one"], resolve.RESOLV_CONF: ["nameserver 192.0.2.1", "search a.test"]}
    monkeypatch.setattr(resolve, "read_lines", contents.__getitem__)
    return contents


def test_the_plan_chooses_the_resolver(files: dict[str, list[str]]) -> None:
    default = make_resolver(ResolvePlan())
    assert isinstance(default, DnsResolver)
    assert default.servers == (NameServer("192.0.2.1"),)
    assert default.forward(["one"], BOTH, never) == {"one": v("10.0.0.1")}
    typed = make_resolver(ResolvePlan(servers=("[::1]:54", "10.0.0.1")))
    assert isinstance(typed, DnsResolver)
    assert typed.servers == (NameServer("::1", 54), NameServer("10.0.0.1"))
    assert isinstance(make_resolver(ResolvePlan(system=True)), SystemResolver)
    files[resolve.RESOLV_CONF] = []
    assert isinstance(make_resolver(ResolvePlan()), SystemResolver)
    with pytest.raises(UsageError):
        make_resolver(ResolvePlan(servers=("ns.test",)))


def test_making_a_resolver_loads_neither_dnspython_nor_asyncio() -> None:
    code = (
        "import sys; from leadline.net.resolve import make_resolver; from leadline.model.plan import ResolvePlan;"
        "make_resolver(ResolvePlan(servers=('127.0.0.1',)));"
        "sys.exit(bool({'dns', 'asyncio', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
