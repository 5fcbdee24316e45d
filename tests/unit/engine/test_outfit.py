from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.engine.outfit import Outfit, draw_outfit
from leadline.link.base import Route
from leadline.model.address import Address
from leadline.model.plan import PacketShape
from leadline.wire.shaping import OWN, FrameShape
from tests.support.groups import interface_of

ROUTE = Route(interface_of(), ip_address("10.9.0.1"), ip_address("10.9.0.254"))
A, B, C6 = ip_address("192.0.2.1"), ip_address("192.0.2.2"), ip_address("2001:db8::1")


def draw(shape: PacketShape, decoys: Sequence[Sequence[Address] | None] = (), seed: int = 1) -> Outfit:
    numbers = iter(range(100, 200))
    return draw_outfit(shape, np.random.default_rng(seed), decoys, lambda: ip_address(next(numbers)))


def test_nothing_asked_for() -> None:
    outfit = draw(PacketShape())
    assert outfit == Outfit()
    assert outfit.route(ROUTE) == ROUTE
    assert outfit.frames(4) == outfit.frames(6) == FrameShape()
    assert not outfit.hears_others


def test_hardware_addresses() -> None:
    fixed = bytes.fromhex("001122")
    outfit = draw(PacketShape(mac=fixed))
    assert outfit.mac is not None
    assert (outfit.mac[:3], len(outfit.mac)) == (fixed, 6)
    assert outfit.route(ROUTE).interface.mac == outfit.mac
    assert outfit.hears_others
    loop = Route(interface_of(kind="loopback"), ip_address("127.0.0.1"), local=True)
    assert outfit.route(loop) == loop
    drawn = [draw(PacketShape(mac=b""), seed=seed).mac for seed in range(30)]
    assert len(set(drawn)) == 30
    assert all(mac is not None and mac[0] & 3 == 2 for mac in drawn)


def test_source_and_way() -> None:
    outfit = draw(PacketShape(source=A, layer="ip"))
    route = outfit.route(ROUTE)
    assert (route.source, route.gateway, route.interface.by_kernel) == (A, ROUTE.gateway, True)
    assert not route.interface.has_neighbors
    other = Route(interface_of(6), ip_address("fd09::1"))
    assert outfit.route(other).source == ip_address("fd09::1")
    assert draw(PacketShape(layer="ethernet")).route(ROUTE) == ROUTE


def test_frames_by_family() -> None:
    shape = PacketShape(
        ttl=9, ip_options=b"\1" * 4, first_hop=A, source_port=53, data=b"x", bad_checksum=True, chunk=8
    )  # fmt: skip
    outfit = draw(shape, [(B,), None])
    assert outfit.frames(4) == FrameShape(53, 9, b"x", b"\1" * 4, int(A), (int(B), OWN), True, 8)
    assert outfit.frames(6) == FrameShape(53, 9, b"x", bad_checksum=True)


def test_random_data_is_drawn_once() -> None:
    outfit = draw(PacketShape(data_length=40))
    assert outfit.data is not None
    assert len(outfit.data) == 40
    assert draw(PacketShape(data_length=40), seed=2).data != outfit.data
    assert draw(PacketShape(data=b"")).data == b""


def test_decoys_of_each_family() -> None:
    outfit = draw(PacketShape(), [(A, C6), None, (), (B,)])
    assert outfit.sources == {4: (int(A), OWN, 100, int(B)), 6: (int(C6), OWN)}


@pytest.mark.parametrize("count", [1, 3, 20])
def test_ones_own_place_is_among_the_first_six(count: int) -> None:
    places = [draw(PacketShape(), [(A,)] * count, seed).sources[4].index(OWN) for seed in range(200)]
    assert set(places) == set(range(min(count + 1, 6)))
    assert all(len(draw(PacketShape(), [(A,)] * count, seed).sources[4]) == count + 1 for seed in range(3))


def test_what_evidence_calls_a_probe() -> None:
    assert draw(PacketShape(mac=b"", layer="ip")).named("syn") == "syn"
    shape = PacketShape(
        chunk=8, source=A, source_port=0, data=b"xyz", ip_options=b"\1" * 4, ttl=0, bad_checksum=True
    )  # fmt: skip
    assert draw(shape, [(A,), (B,), None]).named("syn") == (
        "syn in fragments of 8 bytes among 2 decoys from the address 192.0.2.1 from port 0 with 3 bytes of data "
        "with IP options with a time to live of 0 with a wrong checksum"
    )


def test_only_oneself_is_no_decoy() -> None:
    assert draw(PacketShape(), [None]).sources == {}
