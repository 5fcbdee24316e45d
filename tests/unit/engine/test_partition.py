from __future__ import annotations

from ipaddress import ip_address, ip_network

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.outfit import Outfit
from leadline.engine.partition import Part, partition
from leadline.link.base import Network, Route, RoutedTargets
from leadline.model.address import U64, address_of, columns_of
from leadline.model.plan import PacketShape
from leadline.model.target import TargetBlock
from tests.support.groups import interface_of


class Table:
    """A network that only knows routes: the first prefix that fits."""

    def __init__(self, *routes: tuple[str, Route]) -> None:
        self.table = [(ip_network(prefix), route) for prefix, route in routes]
        self.scopes: dict[int, str] = {}

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        self.scopes = scopes
        found = []
        for high, low in zip(hi, lo, strict=True):
            address = address_of(family, int(high), int(low))
            fits = [index for index, (prefix, _) in enumerate(self.table) if address in prefix]
            found.append(fits[0] if fits else -1)
        return RoutedTargets([route for _, route in self.table], np.array(found, dtype=np.int32))


US, GATEWAY, OTHER = ip_address("10.9.0.1"), ip_address("10.9.0.254"), ip_address("10.9.0.253")
ETH0, ETH1 = interface_of(name="eth0"), interface_of(name="eth1")


def block_of(*addresses: str) -> TargetBlock:
    hi, lo = columns_of([ip_address(one) for one in addresses])
    return TargetBlock(4, hi, lo)


def divide(block: TargetBlock, table: Table) -> tuple[list[Part], list[int]]:
    network: Network = table  # type: ignore[assignment]
    parts, lost = partition(block, network)
    return parts, lost.tolist()


def addresses(part: Part) -> list[str]:
    return [str(part.group.address(row)) for row in range(len(part.group))]


def test_neighbours_and_routed_targets_are_apart_and_lost_ones_are_named() -> None:
    table = Table(("10.9.0.0/24", Route(ETH0, US)), ("10.0.0.0/8", Route(ETH0, US, GATEWAY)))
    parts, lost = divide(block_of("10.9.0.7", "10.1.1.1", "192.0.2.1", "10.9.0.8"), table)
    assert [addresses(part) for part in parts] == [["10.9.0.7", "10.9.0.8"], ["10.1.1.1"]]
    assert [part.rows.tolist() for part in parts] == [[0, 3], [1]]
    assert parts[0].gateways == []
    assert parts[0].gateway_of.tolist() == [-1, -1]
    assert parts[1].gateways == [GATEWAY]
    assert parts[1].gateway_of.tolist() == [0]
    assert parts[0].route.on_link
    assert not parts[1].route.on_link
    assert lost == [2]


def test_gateways_of_one_interface_share_a_part() -> None:
    table = Table(
        ("10.1.0.0/16", Route(ETH0, US, GATEWAY)),
        ("10.2.0.0/16", Route(ETH0, US, OTHER)),
        ("10.3.0.0/16", Route(ETH0, US, GATEWAY)),
    )
    parts, _ = divide(block_of("10.1.0.1", "10.2.0.1", "10.3.0.1"), table)
    assert len(parts) == 1
    assert parts[0].gateways == [GATEWAY, OTHER]
    assert parts[0].gateway_of.tolist() == [0, 1, 0]


def test_other_interfaces_sources_and_local_addresses_are_parts_of_their_own() -> None:
    table = Table(
        ("10.1.0.0/16", Route(ETH0, US, GATEWAY)),
        ("10.2.0.0/16", Route(ETH1, US, GATEWAY)),
        ("10.3.0.0/16", Route(ETH0, OTHER, GATEWAY)),
        ("10.4.0.0/16", Route(ETH0, US, None, local=True)),
        ("10.5.0.0/16", Route(ETH0, US)),
    )
    parts, _ = divide(block_of("10.1.0.1", "10.2.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1"), table)
    assert len(parts) == 5


def test_repeated_addresses_are_scanned_in_turns() -> None:
    table = Table(("10.0.0.0/8", Route(ETH0, US)))
    parts, _ = divide(block_of("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.1"), table)
    assert [part.rows.tolist() for part in parts] == [[0, 1], [2], [3]]


def test_scopes_reach_the_routes() -> None:
    table = Table(("10.0.0.0/8", Route(ETH0, US)))
    block = TargetBlock(4, *columns_of([ip_address("10.0.0.1")]), scopes={0: "eth9"})
    divide(block, table)
    assert table.scopes == {0: "eth9"}


def test_the_outfit_is_part_of_the_way() -> None:
    table = Table(("10.0.0.0/8", Route(ETH0, US)))
    hi, lo = columns_of([ip_address("10.0.0.1"), ip_address("10.0.0.2")])
    block = TargetBlock(4, hi, lo, scopes={0: "eth9"})
    outfit = Outfit(PacketShape(source=OTHER, interface="eth1"), mac=bytes(range(6)))
    network: Network = table  # type: ignore[assignment]
    (part,), _ = partition(block, network, outfit)
    assert table.scopes == {0: "eth9", 1: "eth1"}
    assert (part.route.source, part.route.interface.mac) == (OTHER, bytes(range(6)))
    assert part.group.framing().source == OTHER.packed


@given(st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2", "10.1.0.1", "10.2.0.9", "192.0.2.1"]), max_size=25))
def test_every_target_is_in_one_place_and_no_part_repeats_an_address(targets: list[str]) -> None:
    table = Table(("10.0.0.0/16", Route(ETH0, US)), ("10.1.0.0/16", Route(ETH1, US)), ("10.2.0.0/16", Route(ETH0, US)))
    parts, lost = divide(block_of(*targets), table)
    rows = [row for part in parts for row in part.rows.tolist()]
    assert sorted(rows + lost) == list(range(len(targets)))
    for part in parts:
        assert len(set(addresses(part))) == len(part.group) > 0
        assert addresses(part) == [targets[row] for row in part.rows]
    assert all(targets[row] == "192.0.2.1" for row in lost)
