from pathlib import Path

import pytest

from leadline.data.services import TABLE, Services, default_services, parse_services, service_name
from leadline.errors import DataError
from leadline.model.port import Protocol

SMALL = "# a comment\n[tcp]\n22 ssh\n80 http\n8008 http-alt\n[udp]\n53 domain\n# another\n161 snmp\n"


@pytest.fixture
def small() -> Services:
    return parse_services(SMALL)


def test_names_by_number_and_protocol(small: Services) -> None:
    assert small.name(22, Protocol.TCP) == "ssh"
    assert small.name(22, Protocol.UDP) == ""
    assert small.name(161, Protocol.UDP) == "snmp"
    assert small.name(22, Protocol.SCTP) == ""


def test_registered_numbers_come_ascending(small: Services) -> None:
    assert small.registered(Protocol.TCP) == (22, 80, 8008)
    assert small.registered(Protocol.IP) == ()


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        ("http", (80,)),
        ("HTTP", (80,)),
        ("http*", (80, 8008)),
        ("?sh", (22,)),
        ("*", (22, 80, 8008)),
        ("htt", ()),
        ("?ttp", (80,)),
        ("[sh]*", ()),
    ],
)
def test_patterns(small: Services, pattern: str, numbers: tuple[int, ...]) -> None:
    assert small.numbers(pattern, Protocol.TCP) == numbers


def test_no_pattern_matches_in_a_protocol_without_names(small: Services) -> None:
    assert small.numbers("*", Protocol.SCTP) == ()


@pytest.mark.parametrize("text", ["[tpc]\n22 ssh\n", "[tcp]\n22\n", "[tcp]\nssh 22\n"])
def test_a_damaged_table_is_a_data_error(text: str) -> None:
    with pytest.raises(DataError, match=r"some\.txt: section \[t.* is damaged"):
        parse_services(text, "some.txt")


@pytest.mark.parametrize(
    ("number", "protocol", "name"),
    [
        (22, Protocol.TCP, "ssh"),
        (80, Protocol.TCP, "http"),
        (443, Protocol.TCP, "https"),
        (53, Protocol.UDP, "domain"),
        (161, Protocol.UDP, "snmp"),
        (38412, Protocol.SCTP, "ng-control"),
        (1, Protocol.IP, "icmp"),
        (143, Protocol.UDP, "imap"),
        (4, Protocol.TCP, ""),
    ],
)
def test_the_packaged_table(number: int, protocol: Protocol, name: str) -> None:
    assert service_name(number, protocol) == name


def test_the_packaged_table_is_whole_and_clean() -> None:
    assert Path(TABLE).read_text(encoding="utf-8").isascii()
    services = default_services()
    assert len(services.registered(Protocol.TCP)) > 5000
    assert len(services.registered(Protocol.UDP)) > 5000
    for protocol in Protocol:
        numbers = services.registered(protocol)
        assert numbers[0] >= 0
        assert numbers[-1] <= (255 if protocol is Protocol.IP else 65535)
        for number in numbers:
            name = services.name(number, protocol)
            assert name == name.lower()
            assert name.isprintable()
