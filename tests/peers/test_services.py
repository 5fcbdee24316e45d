"""A dozen real servers, started here: our own rules name them, and with Nmap's rules we say what Nmap says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.servers.comparison import NMAP_DATA, PEER, scan_ports
from tests.servers.explained import Setting
from tests.servers.farm import Farm, farm
from tests.servers.packages import missing_packages
from tests.servers.recipes import IN_TESTS, chosen
from tests.servers.verdict import judge
from tests.support.needs import require, require_packages
from tests.support.scan import LEADLINE, Run, scan
from tests.support.services import NOTHING, service_differences, services

# On others Nmap asks all it knows, one question after the other: minutes that these tests don't have.
QUICK_FOR_THE_PEER = {
    7,
    21,
    22,
    80,
    389,
    443,
    636,
    873,
    990,
    1883,
    6379,
    8001,
    8005,
    8006,
    11211,
    20021,
    20022,
}


@pytest.fixture(scope="module")
def servers() -> Iterator[Farm]:
    """The farm with the servers of ``IN_TESTS``, shifted ports too."""
    require("peers")
    recipes = chosen(IN_TESTS)
    require_packages(missing_packages(recipes))
    with farm(recipes, shift=True) as made:
        yield made


@pytest.fixture(scope="module")
def ours(servers: Farm) -> Run:
    """One scan of all their ports with our own rules."""
    return scan_ports(servers, LEADLINE, list(servers.listeners()), "-oJ", "-")


def test_there_are_ten_kinds_of_servers(servers: Farm) -> None:
    assert len(servers.running) >= 10
    assert len(servers.shifted) >= 10


def test_our_own_rules_name_every_one_of_them(servers: Farm, ours: Run) -> None:
    seen = services(ours.xml)
    wrong = []
    for number, (recipe, listener) in servers.listeners().items():
        found = seen.get((servers.address, "tcp", number), NOTHING)
        verdict = judge(listener, found)
        if verdict.wrong or (verdict.expected and (not verdict.named or verdict.told is False)):
            wrong.append(f"{recipe.name} {number}: {verdict}: {found}, wanted {listener}")
    assert wrong == []


def test_every_verdict_has_its_evidence(servers: Farm, ours: Run) -> None:
    hosts = [json.loads(line)["host"] for line in ours.stdout.splitlines() if '"host_done"' in line]
    ports = {port["number"]: port["service"] for host in hosts for port in host["ports"] if port["state"] == "open"}
    assert ports.keys() == servers.listeners().keys()
    for service in ports.values():
        evidence = service["evidence"]
        assert evidence["exchanges"]
        assert evidence["reason"]
        if service["product"]:
            assert ".probes:" in evidence["rule"]
            assert any(exchange["received"] for exchange in evidence["exchanges"])


@pytest.mark.timeout(300)
def test_with_its_own_rules_nmap_says_the_same(servers: Farm) -> None:
    ports = [number for number in servers.listeners() if number in QUICK_FOR_THE_PEER]
    with Setting(NMAP_DATA) as data:
        peer = scan_ports(servers, PEER, ports, "--datadir", str(data))
    mine = scan_ports(servers, LEADLINE, ports, "--datadir", str(NMAP_DATA))
    theirs = services(peer.xml)
    assert sum(bool(seen.product) for seen in theirs.values()) >= 12
    assert [str(difference) for difference in service_differences(theirs, services(mine.xml))] == []


def test_without_rights_the_verdicts_are_the_same(servers: Farm, ours: Run) -> None:
    chosen_ports = QUICK_FOR_THE_PEER & servers.listeners().keys()
    ports = ",".join(map(str, sorted(chosen_ports)))
    run = scan(servers.scanner, LEADLINE, "-n", "-Pn", "-sV", "-p", ports, servers.address, capabilities=())
    before = {place: seen for place, seen in services(ours.xml).items() if place[2] in chosen_ports}
    assert service_differences(before, services(run.xml)) == []


def test_over_ipv6_the_verdicts_are_the_same(servers: Farm, ours: Run) -> None:
    dual = (22, 80)
    ports = ",".join(map(str, dual))
    run = scan(servers.scanner, LEADLINE, "-6", "-n", "-Pn", "-sV", "-p", ports, servers.address_v6)
    found = {place[2]: seen for place, seen in services(run.xml).items()}
    assert found == {place[2]: seen for place, seen in services(ours.xml).items() if place[2] in dual}
