from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadline.sim.faults import NO_FAULTS, LinkFaults
from leadline.sim.integrity import intact
from leadline.sim.world import SimHost, World, simple_world
from leadline.wire.columns import Kind
from tests.support.sim_scanner import Scanner

ON_LINK = {4: ("192.0.2.50", "192.0.2.51"), 6: ("2001:db8:ffff::50", "2001:db8:ffff::51")}


def world(faults: LinkFaults = NO_FAULTS) -> World:
    first = SimHost(
        (ip_address("192.0.2.50"), ip_address("2001:db8:ffff::50")), mac=b"\x02\x00\x00\x00\x00\x50", faults=faults
    )
    shy = SimHost((ip_address("192.0.2.51"), ip_address("2001:db8:ffff::51")), neighbor=False)
    far = SimHost((ip_address("10.0.0.9"),), mac=b"\x02\x00\x00\x00\x00\x09")
    return simple_world([first, shy, far])


@pytest.mark.parametrize("family", [4, 6])
def test_who_is_there_answers_with_its_mac(family: int) -> None:
    scanner = Scanner(world(), ON_LINK[family][0])
    answer = scanner.who_has(*ON_LINK[family])
    assert answer.kind.tolist() == [Kind.ARP_REPLY if family == 4 else Kind.ND_ADVERT]
    assert answer.mac[0].tolist() == [2, 0, 0, 0, 0, 0x50]
    asked = int(ip_address(ON_LINK[family][0])) & (2**64 - 1)
    assert asked in (int(answer.source_lo[0]), int(answer.target_lo[0]))
    if family == 6:
        assert answer.ttl.tolist() == [255]
        assert intact(scanner.frames, answer, answer.kind.nonzero()[0]).all()
    assert answer.times[0] - 1000.0 == pytest.approx(0.0001, abs=0.0001)


def test_routers_answer_hosts_behind_them_do_not() -> None:
    scanner = Scanner(world(), "192.0.2.50")
    answer = scanner.who_has("192.0.2.1", "10.0.0.9", "192.0.2.77")
    assert [ip_address(int(lo)) for lo in answer.source_lo] == [ip_address("192.0.2.1")]


def test_loss_on_the_cable() -> None:
    scanner = Scanner(world(LinkFaults(loss=0.5)), "192.0.2.50")
    answered = sum(len(scanner.who_has("192.0.2.50")) for _ in range(60))
    assert 15 < answered < 45


def test_nobody_at_all() -> None:
    bare = simple_world([])
    scanner = Scanner(bare, "192.0.2.50")
    assert len(scanner.who_has("192.0.2.50")) == 0
