import pytest

from leadline.data.ranking import DEFAULT_COUNT, FAST_COUNT, known_count, parse_ranking, top_ports
from leadline.data.services import default_services
from leadline.errors import DataError
from leadline.model.port import Protocol


def test_ranges_are_opened_and_repeats_keep_their_first_place() -> None:
    ranked = parse_ranking("# heading\n[tcp]\n80 20-22 21 # why\n443\n[udp]\n53\n")
    assert ranked == {Protocol.TCP: (80, 20, 21, 22, 443), Protocol.UDP: (53,)}


@pytest.mark.parametrize("text", ["[xyz]\n1\n", "[tcp]\nabc\n", "[tcp]\n5-3\n", "[tcp]\n0\n", "[tcp]\n65536\n"])
def test_a_damaged_ranking_is_a_data_error(text: str) -> None:
    with pytest.raises(DataError, match="is damaged"):
        parse_ranking(text)


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP, Protocol.SCTP])
def test_any_count_gives_that_many_distinct_ports(protocol: Protocol) -> None:
    whole = top_ports(protocol, 65535)
    assert sorted(whole) == list(range(1, 65536))
    for count in (1, FAST_COUNT, DEFAULT_COUNT, 5000):
        assert top_ports(protocol, count) == whole[:count]
    assert top_ports(protocol, 10**9) == whole


def test_what_everybody_has_comes_first() -> None:
    assert set(top_ports(Protocol.TCP, 10)) >= {80, 443, 22}
    assert set(top_ports(Protocol.TCP, FAST_COUNT)) >= {
        21,
        22,
        23,
        25,
        53,
        80,
        110,
        139,
        143,
        443,
        445,
        3306,
        3389,
        8080,
    }
    assert set(top_ports(Protocol.UDP, FAST_COUNT)) >= {53, 67, 123, 137, 161, 500, 1900, 5353}
    assert top_ports(Protocol.SCTP, 1) == (2905,)


def test_after_the_head_come_the_named_system_ports() -> None:
    assert 1023 not in top_ports(Protocol.UDP, 450)
    assert set(range(225, 240)).isdisjoint(top_ports(Protocol.UDP, 1000))  # below 1024 but nobody's
    assert {194, 540, 630} <= set(top_ports(Protocol.UDP, 1000))


def test_ip_protocols_come_in_their_own_order() -> None:
    assert top_ports(Protocol.IP, 1000) == tuple(range(256))
    assert top_ports(Protocol.IP, 3) == (0, 1, 2)


def test_of_sctp_few_ports_are_known() -> None:
    assert 80 < known_count(Protocol.SCTP) < 120
    known = top_ports(Protocol.SCTP, known_count(Protocol.SCTP))
    assert set(default_services().registered(Protocol.SCTP)) <= set(known)
    assert known_count(Protocol.TCP) > 5000
    assert known_count(Protocol.IP) == 256
