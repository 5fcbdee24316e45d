from __future__ import annotations

from ipaddress import ip_address, ip_network

from leadline.sim.demo import DEMO_TARGETS, demo_network, demo_world
from leadline.sim.world import Behaviour
from tests.support.sim_scanner import Scanner, states


def test_the_same_company_for_every_seed_at_other_distances() -> None:
    assert demo_world(1) == demo_world(1)
    one, other = demo_world(1), demo_world(2)
    assert one != other
    assert [(host.hostname, host.tcp) for host in one.hosts] == [(host.hostname, host.tcp) for host in other.hosts]


def test_everybody_is_within_the_targets_or_ipv6() -> None:
    world = demo_world()
    assert 25 <= len(world.hosts) <= 35
    ranges = [ip_network(text) for text in DEMO_TARGETS]
    for host in world.hosts:
        assert host.hostname.endswith(".demo.example")
        assert any(address in one for one in ranges for address in host.addresses)
    assert len({host.hostname for host in world.hosts}) == len(world.hosts)


def test_network_and_names() -> None:
    network, resolver = demo_network(seed=3, epoch=1_000_000.0)
    assert network.clock.epoch() == 1_000_000.0
    found = resolver.forward(["db.demo.example"], frozenset({4}), lambda: False)
    assert found == {"db.demo.example": (ip_address("10.20.1.13"),)}
    assert demo_network()[0].clock.epoch() > 1_000_000.0


def test_the_firewall_shows() -> None:
    scanner = Scanner(demo_world(), "10.20.1.13")
    assert states(scanner.tcp("10.20.1.13", [22, 80, 445, 5432])) == {22: "open", 80: "closed", 445: "closed"}
    answer = scanner.tcp("10.20.1.13", [135])
    assert (answer.icmp_type[0], answer.icmp_code[0]) == (3, 13)
    www = next(host for host in demo_world().hosts if host.hostname.startswith("www."))
    assert www.tcp.default is Behaviour.FILTERED
    assert states(scanner.tcp("10.20.1.10", [80, 81])) == {80: "open"}


def test_office_is_on_the_link_and_the_branch_behind_two_routers() -> None:
    office = Scanner(demo_world(), "10.20.0.12")
    assert office.route.on_link
    assert states(office.tcp("10.20.0.12", [22, 23])) == {22: "open", 23: "closed"}
    branch = Scanner(demo_world(), "10.20.2.10")
    answer = branch.tcp("10.20.2.10", list(range(20, 60)))
    assert set(answer.ttl.tolist()) == {62}
    assert 30 <= len(states(answer)) <= 40
