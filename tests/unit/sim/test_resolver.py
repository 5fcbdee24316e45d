from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from leadline.sim.resolver import SimResolver
from leadline.sim.world import SimHost, simple_world

BOTH = frozenset({4, 6})
V6, V4 = ip_address("2001:db8:ffff::5"), ip_address("10.0.0.5")
WORLD = simple_world([SimHost((V6, V4), hostname="Www.example"), SimHost((ip_address("10.0.0.6"),))])


def never() -> bool:
    return False


def test_forward_gives_ipv4_first_and_only_asked_families() -> None:
    resolver = SimResolver(WORLD)
    assert resolver.forward(["www.EXAMPLE.", "nobody.example"], BOTH, never) == {"www.EXAMPLE.": (V4, V6)}
    assert resolver.forward(["www.example"], frozenset({6}), never) == {"www.example": (V6,)}


def test_reverse() -> None:
    addresses = [V4, V6, ip_address("10.0.0.6"), ip_address("10.9.9.9")]
    assert SimResolver(WORLD).reverse(addresses, never) == {V4: "Www.example", V6: "Www.example"}


def test_this_machine_has_a_name_too() -> None:
    world = replace(WORLD, local=SimHost((), hostname="me.example"))
    here = ip_address("192.0.2.2"), ip_address("2001:db8:ffff::2")
    assert SimResolver(world).forward(["me.example"], BOTH, never) == {"me.example": here}
    assert SimResolver(world).reverse([here[0]], never) == {here[0]: "me.example"}


def test_stop_is_obeyed() -> None:
    resolver = SimResolver(WORLD)
    assert resolver.forward(["www.example"], BOTH, lambda: True) == {}
    assert resolver.reverse([V4], lambda: True) == {}
