import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.probe_kind import ProbeKind
from leadline.ports.probes import POPULAR_FIRST, port_matrix, probe_table

POPULAR = (80, 23, 443, 21, 22)


def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def numbers_of(matrix: object, host: int) -> list[int]:
    return matrix.numbers[matrix.ports_of(host)].tolist()  # type: ignore[attr-defined]


def test_in_sequence() -> None:
    matrix = port_matrix([(22, 80, 443)] * 2, POPULAR, True, generator())
    assert numbers_of(matrix, 0) == numbers_of(matrix, 1) == [22, 80, 443]


def test_common_ports_go_first_the_most_common_before_all() -> None:
    ports = tuple(range(1, 1001))
    matrix = port_matrix([ports], POPULAR, False, generator())
    order = numbers_of(matrix, 0)
    assert order[: len(POPULAR)] == list(POPULAR)
    assert sorted(order) == list(ports)
    assert order[len(POPULAR) :] != sorted(order[len(POPULAR) :])


def test_no_more_than_so_many_are_common() -> None:
    popular = tuple(range(1000, 900, -1))
    order = numbers_of(port_matrix([tuple(range(1, 1001))], popular, False, generator()), 0)
    assert order[:POPULAR_FIRST] == list(popular[:POPULAR_FIRST])
    assert order[POPULAR_FIRST:] != list(popular[POPULAR_FIRST:])[: len(order) - POPULAR_FIRST]


def test_hosts_with_the_same_ports_share_one_order() -> None:
    ports = (1, 2, 3)
    matrix = port_matrix([ports, ports], (), False, generator())
    assert matrix.offsets is None
    assert matrix.ports_of(0) is matrix.ports_of(1)


def test_hosts_with_ports_of_their_own() -> None:
    matrix = port_matrix([(22, 80), (), (80, 8080)], (), True, generator())
    assert matrix.numbers.tolist() == [22, 80, 8080]
    assert [numbers_of(matrix, host) for host in range(3)] == [[22, 80], [], [80, 8080]]
    assert matrix.offsets is not None
    assert matrix.offsets.tolist() == [0, 2, 2, 4]


def test_column_of() -> None:
    matrix = port_matrix([(0, 65_535)], (), True, generator())
    assert matrix.column_of[[0, 65_535, 80]].tolist() == [0, 1, -1]


@given(
    st.lists(st.sets(st.integers(0, 65_535), max_size=6), min_size=1, max_size=5).filter(any),
    st.booleans(),
    st.lists(st.integers(0, 65_535), max_size=40, unique=True),
)
def test_every_host_gets_each_of_its_ports_once(hosts: list[set[int]], sequential: bool, popular: list[int]) -> None:
    matrix = port_matrix([tuple(sorted(one)) for one in hosts], popular, sequential, generator())
    for host, ports in enumerate(hosts):
        told = numbers_of(matrix, host)
        assert sorted(told) == sorted(ports)
        if sequential:
            assert told == sorted(ports)


def test_ports_are_asked_by_probes_of_one_kind() -> None:
    matrix = port_matrix([(22, 80)], (), True, np.random.default_rng(1))
    table = probe_table(matrix, ProbeKind.SCTP_INIT, 4)
    assert (table.kinds.tolist(), table.ports.tolist()) == ([ProbeKind.SCTP_INIT] * 2, [22, 80])
    kinds = np.array([ProbeKind.SCTP_INIT, ProbeKind.SCTP_INIT, ProbeKind.TCP_ACK], dtype=np.uint8)
    assert table.column_of(kinds, np.array([80, 81, 80])).tolist() == [1, -1, -1]


@pytest.mark.parametrize(("family", "icmp"), [(4, 1), (6, 58)])
def test_protocols_are_asked_each_by_its_own_probe(family: int, icmp: int) -> None:
    numbers = tuple(sorted({icmp, 6, 17, 47, 132}))
    matrix = port_matrix([numbers], (), True, np.random.default_rng(1))
    table = probe_table(matrix, ProbeKind.IP_PROTOCOL, family)
    asked = dict(zip(numbers, zip(table.kinds.tolist(), table.ports.tolist(), strict=True), strict=True))
    assert asked == {
        icmp: (ProbeKind.ICMP_ECHO, 0),
        6: (ProbeKind.TCP_ACK, 80),
        17: (ProbeKind.UDP, 40_125),
        47: (ProbeKind.IP_PROTOCOL, 47),
        132: (ProbeKind.SCTP_INIT, 80),
    }
    assert table.column_of(table.kinds, table.ports).tolist() == list(range(5))
    assert table.column_of(table.kinds, table.ports + 1).tolist() == [-1] * 5
