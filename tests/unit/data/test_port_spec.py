import subprocess
import sys

import pytest

from leadline.data.port_spec import highest, parse_ports
from leadline.data.services import parse_services
from leadline.errors import UsageError
from leadline.model.port import Protocol

SERVICES = parse_services(
    "[tcp]\n22 ssh\n80 http\n443 https\n8008 http-alt\n[udp]\n53 domain\n80 http\n[sctp]\n7 echo\n[ip]\n1 icmp\n6 tcp\n"
)
TCP = (Protocol.TCP,)


def ports(text: str, protocols: tuple[Protocol, ...] = TCP) -> dict[str, tuple[int, ...]]:
    return {protocol.label: of for protocol, of in parse_ports(text, protocols, SERVICES).ports.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22", {"tcp": (22,)}),
        ("0", {"tcp": (0,)}),
        ("0080", {"tcp": (80,)}),
        ("22,80-82", {"tcp": (22, 80, 81, 82)}),
        (" 22 , 80 ", {"tcp": (22, 80)}),
        ("80,22,80", {"tcp": (22, 80)}),
        ("-3", {"tcp": (1, 2, 3)}),
        ("65533-", {"tcp": (65533, 65534, 65535)}),
        ("-", {"tcp": tuple(range(1, 65536))}),
        ("0-", {"tcp": tuple(range(65536))}),
        ("T:22,U:53,54,S:7", {"tcp": (22,), "udp": (53, 54), "sctp": (7,)}),
        ("22,U:53", {"tcp": (22,), "udp": (53,)}),
        ("u:53", {"udp": (53,)}),
        ("P:1,6", {"ip": (1, 6)}),
        ("P:254-", {"ip": (254, 255)}),
        ("P:-1", {"ip": (0, 1)}),
        ("P:icmp", {"ip": (1,)}),
        ("http", {"tcp": (80,)}),
        ("http*", {"tcp": (80, 443, 8008)}),
        ("HTTP?", {"tcp": (443,)}),
        ("http-alt", {"tcp": (8008,)}),
        ("[20-100]", {"tcp": (22, 80)}),
        ("[-80,8000-]", {"tcp": (22, 80, 8008)}),
        ("T:[-],U:[-60],1", {"tcp": (22, 80, 443, 8008), "udp": (1, 53)}),
        ("[U:-60],61", {"udp": (53, 61)}),
        ("[http]", {"tcp": (80,)}),
        ("[1-10]", {}),
    ],
)
def test_grammar(text: str, expected: dict[str, tuple[int, ...]]) -> None:
    assert ports(text) == expected


def test_an_item_without_prefix_means_all_given_protocols() -> None:
    both = (Protocol.TCP, Protocol.UDP)
    assert ports("53", both) == {"tcp": (53,), "udp": (53,)}
    assert ports("http", both) == {"tcp": (80,), "udp": (80,)}
    assert ports("ssh", both) == {"tcp": (22,)}
    assert ports("53", ()) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no ports"),
        ("  ", "names no ports"),
        ("22,", "ends where ports should follow"),
        ("T:", "ends where ports should follow"),
        (",22", "has an empty item"),
        ("22,,80", "has an empty item"),
        ("T:,22", "has an empty item"),
        ("65536", "has 65536, but ports end at 65535"),
        ("1-99999999999999999999999", "but ports end at 65535"),
        ("P:256", "has 256, but IP protocol numbers end at 255"),
        ("100-99", 'has the range "100-99", which goes backwards'),
        ("0000000000070000", "has 70000, but"),
        ("X:22", 'has the unknown protocol "X:"'),
        ("gopherd", 'has "gopherd", which matches no TCP service name'),
        ("22 23", 'has "22 23", which is neither'),
        ("²", "which is neither"),
        ("[22", 'has a "[" that is never closed'),
        ("22]", 'has a "]" where none can stand'),
        ("[[22]]", 'has a "[" where none can stand'),
        ("[]", 'has a "]" where none can stand'),
        ("22[23]", 'has a "[" where none can stand'),
        ("[22]23", 'has no comma before "23"'),
    ],
)
def test_mistakes_are_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        ports(text)
    assert any(sentence in message for message in caught.value.messages)
    assert all(message.startswith("Port list ") and message.endswith(".") for message in caught.value.messages)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        ports("70000,5-4,zz,zz")
    assert len(caught.value.messages) == 3


def test_two_protocols_are_named_in_the_mistake() -> None:
    with pytest.raises(UsageError, match="matches no TCP or UDP service name"):
        ports("zz", (Protocol.TCP, Protocol.UDP))


def test_the_packaged_table_serves_when_none_is_given() -> None:
    assert parse_ports("ssh", TCP).of(Protocol.TCP) == (22,)


def test_highest() -> None:
    assert (highest(Protocol.IP), highest(Protocol.TCP)) == (255, 65535)


def test_reading_a_port_list_loads_no_numpy() -> None:
    code = "import sys; from leadline.data import port_spec, ranking; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
