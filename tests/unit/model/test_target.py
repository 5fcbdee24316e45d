"""A block of targets: columns in, addresses out."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.address import columns_of
from leadline.model.ip import Address
from leadline.model.target import TargetBlock
from tests.support.frozen import check_frozen


def block_of(family: int, addresses: list[Address]) -> TargetBlock:
    return TargetBlock(family, *columns_of(addresses))


@pytest.mark.parametrize("family", [4, 6])
@given(data=st.data())
def test_a_block_gives_back_its_addresses(family: int, data: st.DataObject) -> None:
    addresses = data.draw(st.lists(st.ip_addresses(v=family), max_size=30))  # type: ignore[arg-type]
    block = block_of(family, addresses)
    assert len(block) == len(addresses)
    assert [block.address(row) for row in range(len(block))] == addresses


def test_a_block_beyond_its_end() -> None:
    with pytest.raises(IndexError):
        block_of(4, [ip_address("10.0.0.1")]).address(1)


def test_most_targets_have_nothing_of_their_own() -> None:
    first, second = block_of(4, [ip_address("10.0.0.1")]), block_of(6, [ip_address("::1")])
    assert (first.names, first.others, first.scopes, first.port_sets) == ({}, {}, {}, {})
    first.names[0] = "host.example"
    assert second.names == {}


def test_a_block_is_frozen() -> None:
    check_frozen(block_of(4, [ip_address("10.0.0.1")]))
