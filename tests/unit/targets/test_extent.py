"""What large expressions leave out, and what needs a list of exclusions."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.errors import UsageError
from leadline.model.event import Notice
from leadline.model.plan import Shard, TargetPlan
from leadline.model.target import TargetBlock
from leadline.net.base import Resolver
from leadline.targets.extent import internet_mistake, left_out_of
from leadline.targets.source import TargetSource
from leadline.targets.space import HostSpace
from leadline.targets.spec import parse_target
from tests.support.twin_resolver import TwinResolver


def shape_of(text: str):  # type: ignore[no-untyped-def]
    return parse_target(text, lambda ports: ports).shape  # type: ignore[arg-type,return-value]


def is_left_out(text: str, *addresses: str) -> list[bool]:
    lo = np.array([int(ip_address(one)) for one in addresses], np.uint64)
    return left_out_of(shape_of(text)).contains(4, np.zeros_like(lo), lo).tolist()


@pytest.mark.parametrize(
    ("text", "address", "out"),
    [
        ("0.0.0.0/0", "10.1.2.3", True),
        ("0.0.0.0/0", "224.0.0.1", True),
        ("0.0.0.0/0", "255.255.255.255", True),
        ("0.0.0.0/0", "8.8.8.8", False),
        ("8.0.0.0/5", "10.1.2.3", True),
        ("10.0.0.0/8", "10.1.2.3", False),  # named
        ("10.0.0.0/9", "10.1.2.3", False),  # part of what is special
        ("224.0.0.0/4", "224.0.0.1", False),
        ("192.0.0.0/8", "192.168.1.1", True),  # held entirely
        ("192.0.0.0/8", "192.0.2.1", True),
        ("192.168.0.0/15", "192.168.1.1", True),
        ("192.0.0.0/16", "192.0.2.1", False),  # small: who types that means it
        ("198.16.0.0/13", "198.18.0.1", True),
        ("1-223.*.*.1", "10.0.0.1", False),  # not more than a /8: special ranges are not in it as a whole
        ("1-223.*.*.1-9", "10.0.0.1", True),
        ("2001:db8::/32", "10.0.0.1", False),
    ],
)
def test_special_addresses_in_large_expressions(text: str, address: str, out: bool) -> None:
    assert is_left_out(text, address) == [out]


def source_of(*texts: str, **fields: object) -> TargetSource:
    resolver: Resolver = TwinResolver({})
    plan = TargetPlan(texts, **fields)  # type: ignore[arg-type]
    return TargetSource(plan, resolver, None, b"key", lambda path, stop: iter(()))


def test_what_is_left_out_is_told_once_and_may_be_named() -> None:
    parts = list(source_of("192.160.0.0/12", "192.168.3.0/30").blocks(1 << 20))
    (notice,) = [part for part in parts if isinstance(part, Notice)]
    assert "192.168.0.0/16" in notice.text
    blocks = [part for part in parts if isinstance(part, TargetBlock)]
    assert sum(len(block) for block in blocks) == (1 << 20) - (1 << 16) - 256 + 4
    assert int(ip_address("192.168.3.1")) in blocks[-1].lo


def test_the_whole_internet_needs_a_list_of_exclusions() -> None:
    with pytest.raises(UsageError, match="--excludefile"):
        list(source_of("0.0.0.0/0").blocks(1000))
    listed = source_of("0.0.0.0/0", sends=False, shard=Shard(5, 1 << 20)).blocks(1 << 12)
    assert sum(len(block) for block in listed if isinstance(block, TargetBlock)) == pytest.approx(3530, abs=60)
    (space,) = [
        part
        for part in source_of("0.0.0.0/0", exclude_files=("/dev/null",)).blocks(1000, sweep_from=5000)
        if isinstance(part, HostSpace)
    ]
    assert 3_600_000_000 < space.size < 3_750_000_000
    assert internet_mistake([1 << 29, 1 << 28], ()) == ""
    assert "1,610,612,736" in internet_mistake([1 << 29, 1 << 30], ())


def test_shards_part_small_lists_too() -> None:
    told = []
    for index in range(3):
        source = source_of("10.0.0.0/24", "10.0.0.77", shard=Shard(index, 3))
        told += [lo for block in source.blocks(50) if isinstance(block, TargetBlock) for lo in block.lo.tolist()]
    assert sorted(told) == sorted([*range(0x0A000000, 0x0A000100), 0x0A00004D])


def test_what_is_large_enough_comes_as_a_space() -> None:
    parts = list(source_of("10.0.0.0/20", "10.0.8.0/20", "fd00::/120", "10.9.0.1:80").blocks(100, sweep_from=6000))
    (space,) = [part for part in parts if isinstance(part, HostSpace)]
    assert space.size == 4096  # both name the same /20
    parts = list(source_of("10.0.0.0/20", "10.0.16.0/20", "fd00::/120", "10.9.0.1:80").blocks(100, sweep_from=6000))
    (space,) = [part for part in parts if isinstance(part, HostSpace)]
    assert (space.family, space.size) == (4, 8192)
    assert sum(len(part) for part in parts if isinstance(part, TargetBlock)) == 257
