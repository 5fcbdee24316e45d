import contextlib
from ipaddress import IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.port_spec import parse_ports
from leadline.errors import UsageError
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.targets.shape import Octets, Span
from leadline.targets.spec import Named, TargetSpec, block_around, parse_target


def ports(text: str) -> PortSet:
    return parse_ports(text, (Protocol.TCP,))


def parse(text: str) -> TargetSpec:
    return parse_target(text, ports)


def v4(text: str) -> int:
    return int(ip_address(text))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("10.0.0.1", Span(4, v4("10.0.0.1"))),
        ("0.0.0.0", Span(4, 0)),
        ("255.255.255.255", Span(4, (1 << 32) - 1)),
        ("10.0.0.77/24", Span(4, v4("10.0.0.0"), 256)),
        ("10.0.0.1/32", Span(4, v4("10.0.0.1"))),
        ("10.0.0.1/0", Span(4, 0, 1 << 32)),
        ("10.0.0.9/29", Span(4, v4("10.0.0.8"), 8)),
        ("10.0.0.*", Span(4, v4("10.0.0.0"), 256)),
        ("10.0.-.-", Span(4, v4("10.0.0.0"), 65536)),
        ("10.0.0.250-", Span(4, v4("10.0.0.250"), 6)),
        ("10.0.0.-4", Span(4, v4("10.0.0.0"), 5)),
        ("10.0.0.1-3,4", Span(4, v4("10.0.0.1"), 4)),
        ("10.0.0-1.*", Span(4, v4("10.0.0.0"), 512)),
        ("*.*.*.*", Span(4, 0, 1 << 32)),
        ("10.0.0,2.1-2", Octets(((10,), (0,), (0, 2), (1, 2)))),
        ("10.0.0,0.7,3", Octets(((10,), (0,), (0,), (3, 7)))),
        ("10.0.0-1.0/25", Octets(((10,), (0,), (0, 1), tuple(range(128))))),
        ("2001:db8::1", Span(6, int(IPv6Address("2001:db8::1")))),
        ("::", Span(6, 0)),
        ("2001:db8::5/120", Span(6, int(IPv6Address("2001:db8::")), 256)),
        ("::/0", Span(6, 0, 1 << 128)),
        ("::ffff:10.0.0.1", Span(6, int(IPv6Address("::ffff:10.0.0.1")))),
        ("[2001:db8::1]", Span(6, int(IPv6Address("2001:db8::1")))),
        ("[2001:db8::/126]", Span(6, int(IPv6Address("2001:db8::")), 4)),
        ("[2001:db8::]/126", Span(6, int(IPv6Address("2001:db8::")), 4)),
        ("example.com", Named("example.com")),
        ("example.com.", Named("example.com.")),
        ("a_b.example", Named("a_b.example")),
        ("example.com/28", Named("example.com", 28)),
        ("localhost", Named("localhost")),
        ("3com", Named("3com")),
        ("bücher.example", Named("xn--bcher-kva.example")),
    ],
)
def test_grammar(text: str, shape: object) -> None:
    assert parse(text) == TargetSpec(text, shape)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shape", "numbers"),
    [
        ("10.0.0.5:80,443", Span(4, v4("10.0.0.5")), (80, 443)),
        ("10.0.0.0/30:22-23", Span(4, v4("10.0.0.0"), 4), (22, 23)),
        ("example.com:8080", Named("example.com"), (8080,)),
        ("example.com/24:8080", Named("example.com", 24), (8080,)),
        ("example.com:T:8080", Named("example.com"), (8080,)),
        ("[::1]:22", Span(6, 1), (22,)),
        ("[::]/127:22", Span(6, 0, 2), (22,)),
        ("[::1]:ssh", Span(6, 1), (22,)),
    ],
)
def test_ports_of_one_target(text: str, shape: object, numbers: tuple[int, ...]) -> None:
    spec = parse(text)
    assert spec.shape == shape
    assert spec.ports is not None
    assert spec.ports.of(Protocol.TCP) == numbers


def test_scopes() -> None:
    spec = parse("fe80::1%eth0")
    assert (spec.shape, spec.scope) == (Span(6, int(IPv6Address("fe80::1"))), "eth0")
    spec = parse("[fe80::1%br-lan.7]:22")
    assert (spec.scope, spec.ports) == ("br-lan.7", ports("22"))
    spec = parse("fe80::1%eth0/127")
    assert (spec.scope, spec.shape) == ("eth0", Span(6, int(IPv6Address("fe80::")), 2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "neither an address nor a host name"),
        ("10.0.0.256", "has the octet 256"),
        ("10.0.0.1-256", "has the octet 256"),
        ("10.0.0.999-1", "has the octet 999"),
        ("10.0.0.9-1", 'has the range "9-1"'),
        ("10.0.0", "it has 3 octets, not 4"),
        ("1.2.3.4.5", "it has 5 octets, not 4"),
        ("1.2.3.1,,2", "neither a number nor a range"),
        ("1.2.3.1--2", "neither a number nor a range"),
        ("1.2.3.1000", "neither a number nor a range"),
        ("1.2.3.4/33", "an IPv4 address has 32 bits"),
        ("1.2.3.4/129", "at most 128 bits"),
        ("1.2.3.4/x", "which is no number"),
        ("1.2.3.4/", "which is no number"),
        ("1.2.3.4/2/3", "which is no number"),
        ("fe80:::1", "is no IPv6 address"),
        ("12345::", "is no IPv6 address"),
        ("::1%eth 0", 'has the scope "eth 0"'),
        ("::1%", 'has the scope ""'),
        ("[::1", "is no IPv6 address in brackets"),
        ("[10.0.0.1]", "is no IPv6 address in brackets"),
        ("[::1]x", 'has "x" where'),
        ("[::/64]/64", 'has "/64" where'),
        ("10.0.0.1:", "ends where ports should follow"),
        ("[::1]:", "names no ports"),
        ("10.0.0.1:99999", "ports end at 65535"),
        ("-host", "neither an address nor a host name"),
        ("host-", "neither an address nor a host name"),
        ("a..b", "neither an address nor a host name"),
        ("a b", "neither an address nor a host name"),
        ("host.123", "neither an address nor a host name"),
        ("a" * 64, "neither an address nor a host name"),
        (".".join(["abc"] * 64), "neither an address nor a host name"),
        ("x" * 5000, "is longer than 4096 characters"),
        ("ü" * 300, "is no host name"),
        ("\u2028.example", "no host name"),
    ],
)
def test_mistakes_are_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert len(caught.value.messages) == 1
    assert sentence in caught.value.messages[0]
    assert caught.value.messages[0].endswith(".")


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_blocks_agree_with_the_standard_library(address: object, bits: int) -> None:
    network = IPv4Network(f"{address}/{bits}", strict=False)
    expected = Span(4, int(network.network_address), network.num_addresses)
    assert parse(f"{address}/{bits}").shape == expected
    assert block_around(4, int(ip_address(str(address))), bits) == expected


@given(st.text(max_size=30) | st.text("0123456789abcdef.:/%[]*-,TU", max_size=30))
def test_any_text_is_a_target_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse(text).text == text
