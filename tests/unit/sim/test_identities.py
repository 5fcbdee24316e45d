from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.identities import Identities, with_fragment_headers
from leadline.sim.terrain import Terrain
from leadline.sim.traffic import Probes
from leadline.sim.world import BSD, EMBEDDED, LINUX, WINDOWS, IpIdentity, Personality, SimHost, simple_world
from leadline.wire.batch import single
from leadline.wire.frame import Frame
from leadline.wire.ipv6 import Ipv6
from tests.support.sim_columns import probes

LOOKS = (LINUX, WINDOWS, BSD, WINDOWS)


def identities(*looks: Personality) -> Identities:
    hosts = [SimHost((ip_address(f"10.0.0.{i}"),), personality=look) for i, look in enumerate(looks, 1)]
    return Identities(Terrain(simple_world(hosts)), np.random.default_rng(1))


def ids(made: Identities, hosts: list[int], to: int = 7, hi: int = 0, at: float = 1.0) -> list[int]:
    count = len(hosts)
    columns = (np.full(count, value, np.uint64) for value in (hi, to))
    return made.next(np.array(hosts, np.int32), *columns, np.full(count, at)).tolist()


def too_big(host: int, mtu: int, lo: int = 7) -> Probes:
    column = {"host": host, "source_hi": 5, "source_lo": lo, "icmp_sequence": mtu, "identifier": 0}
    one = probes(["fd00::1"], [0])
    return replace(one, **{name: np.array([value], getattr(one, name).dtype) for name, value in column.items()})


def test_by_personality() -> None:
    made = identities(*LOOKS)
    hosts = [1, 0, 3, 1, 2, 1, 3, 2]
    first, second = ids(made, hosts), ids(made, hosts)
    assert first[1] == 0
    for some in (first, second):
        assert (np.diff([some[row] for row in (0, 3, 5)]) % 65536).tolist() == [1, 1]
    assert (second[0] - first[5]) & 0xFFFF == 1
    assert (second[2] - first[6]) & 0xFFFF == 1
    assert len({first[4], first[7], second[4], second[7]}) == 4


def test_without_counters() -> None:
    made = identities(LINUX)
    assert ids(made, [0, 0, 0]) == [0, 0, 0]
    assert ids(made, []) == []


@pytest.mark.parametrize(("identity", "step"), [(IpIdentity.BY_TWO, 2), (IpIdentity.SWAPPED, 1)])
def test_other_counters(identity: IpIdentity, step: int) -> None:
    made = identities(replace(EMBEDDED, identity=identity))
    seen = ids(made, [0, 0]) + ids(made, [0], to=8)
    if identity is IpIdentity.SWAPPED:
        seen = [one >> 8 | (one & 0xFF) << 8 for one in seen]
    assert [(one - seen[0]) & 0xFFFF for one in seen] == [0, step, 2 * step]


def test_a_counter_for_each_destination_is_not_moved_by_others() -> None:
    made = identities(replace(EMBEDDED, identity=IpIdentity.PER_HOST))
    first = ids(made, [0], to=7)[0]
    ids(made, [0, 0, 0], to=8)
    assert ids(made, [0], to=7) == [(first + 1) & 0xFFFF]


def test_chatter_uses_identifications_up() -> None:
    made = identities(replace(EMBEDDED, chatter=100.0))
    (before,) = ids(made, [0], at=1.0)
    (after,) = ids(made, [0], at=3.0)
    assert 150 < (after - before) & 0xFFFF < 260
    # Time that has passed is not counted twice.
    (again,) = ids(made, [0], at=3.0)
    assert again == (after + 1) & 0xFFFF


def test_fragment_headers_only_for_whom_they_were_asked() -> None:
    made = identities(replace(EMBEDDED, atomic_fragments=True), EMBEDDED)
    made.too_big(too_big(0, 1280, lo=8))
    made.too_big(too_big(1, 1278))
    assert ids(made, [0, 1], hi=5) == [0, 0]
    made.too_big(too_big(0, 1278))
    first, second = ids(made, [0, 0], hi=5)
    assert second == first + 1 > 1
    assert ids(made, [0], to=8, hi=5) == ids(made, [1], hi=5) == [0]


@pytest.mark.parametrize(("identity", "known"), [(IpIdentity.RANDOM, False), (IpIdentity.SWAPPED, True)])
def test_of_32_bits(identity: IpIdentity, known: bool) -> None:
    made = identities(replace(EMBEDDED, atomic_fragments=True, identity=identity))
    made.too_big(too_big(0, 1000))
    one, two = (int.from_bytes(each.to_bytes(4, "little"), "big") for each in ids(made, [0, 0], hi=5))
    assert (two - one == 1) is known


def test_a_fragment_header_is_put_in() -> None:
    packet = Ipv6(ip_address("fd00::1"), ip_address("fd00::2"), 59, payload=b"abcdefgh")  # type: ignore[arg-type]
    made = with_fragment_headers(single(packet.emit(), 0), np.array([0x01020304], np.uint32))
    read = Frame.parse(made.row(0), 0).network
    assert isinstance(read, Ipv6)
    (extension,) = read.extensions
    assert (extension.number, extension.body) == (44, bytes([0, 0, 0, 1, 2, 3, 4]))
    assert (read.protocol, read.payload) == (59, b"abcdefgh")
