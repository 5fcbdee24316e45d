from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import UsageError
from leadline.net.system_files import (
    NameServer,
    ResolverConfiguration,
    parse_hosts,
    parse_resolv_conf,
    parse_server,
    read_lines,
)

BOTH = frozenset({4, 6})


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", NameServer("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", NameServer("192.0.2.1", 5353)),
        ("2001:db8::1", NameServer("2001:db8::1", 53)),
        ("[2001:db8::1]", NameServer("2001:db8::1", 53)),
        ("[2001:db8::1]:54", NameServer("2001:db8::1", 54)),
        ("[192.0.2.1]:54", NameServer("192.0.2.1", 54)),
        ("fe80::1%eth0", NameServer("fe80::1%eth0", 53)),
    ],
)
def test_servers_as_typed(text: str, server: NameServer) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no IP address"),
        ("ns.example", "a name cannot stand here"),
        ("192.0.2.1:", 'has the port ""'),
        ("192.0.2.1:0", 'has the port "0"'),
        ("192.0.2.1:65536", "ports are 1 to 65535"),
        ("192.0.2.1:99999999999999999999", "ports are 1 to 65535"),
        ("192.0.2.1:x", 'has the port "x"'),
        ("[::1", "is not written as"),
        ("[::1]53", "is not written as"),
    ],
)
def test_wrong_servers(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_server(text)
    assert sentence in str(caught.value)


def test_hosts() -> None:
    hosts = parse_hosts(
        [
            "127.0.0.1 localhost",
            "10.0.0.5\tWeb.Example web # comment",
            "10.0.0.6 web",
            "2001:db8::5 web",
            "10.0.0.5 later",
            "nonsense web",
            "10.0.0.9",
            "10.0.0.7 bad\x1bname good",
            "# 10.0.0.8 hidden",
        ]
    )
    assert hosts.addresses("WEB", BOTH) == (ip_address("10.0.0.5"), ip_address("10.0.0.6"), ip_address("2001:db8::5"))
    assert hosts.addresses("web", frozenset({6})) == (ip_address("2001:db8::5"),)
    assert hosts.addresses("web.example.", BOTH) == (ip_address("10.0.0.5"),)
    assert hosts.addresses("hidden", BOTH) == ()
    assert hosts.reverse[ip_address("10.0.0.5")] == "Web.Example"
    assert hosts.reverse[ip_address("10.0.0.7")] == "good"


def test_localhost_needs_no_file() -> None:
    assert parse_hosts([]).addresses("localhost", BOTH) == (ip_address("127.0.0.1"), ip_address("::1"))
    assert parse_hosts(["127.0.0.2 localhost"]).addresses("localhost.", BOTH) == (ip_address("127.0.0.2"),)


def test_resolv_conf() -> None:
    configuration = parse_resolv_conf(
        [
            "# made by hand",
            "domain old.example",
            "nameserver 192.0.2.1 # first",
            "nameserver ns.example",
            "nameserver fe80::1%eth0",
            "nameserver",
            "search a.example b.example; no",
            "options edns0 ndots:2 ndots:x timeout:1",
            "nameserver 192.0.2.3",
            "nameserver 192.0.2.4",
        ]
    )
    servers = (NameServer("192.0.2.1"), NameServer("fe80::1%eth0"), NameServer("192.0.2.3"))
    assert configuration == ResolverConfiguration(servers, ("a.example", "b.example"), 2)
    assert parse_resolv_conf([]) == ResolverConfiguration((), (), 1)
    assert parse_resolv_conf(["options ndots:999999999"]).dots == 15


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    parse_hosts(text.splitlines())
    parse_resolv_conf(text.splitlines())


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(str(tmp_path / "gone")) == []
    (tmp_path / "here").write_bytes(b"one\n\xfftwo")
    assert read_lines(str(tmp_path / "here")) == ["one", "\ufffdtwo"]
