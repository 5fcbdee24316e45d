"""Real UDP servers: recognised by what they answered to the port scan, and with Nmap's rules as Nmap names them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.servers.comparison import NMAP_DATA
from tests.servers.farm import Farm, farm
from tests.servers.packages import missing_packages
from tests.servers.recipes import chosen
from tests.servers.verdict import judge
from tests.support.needs import require, require_packages
from tests.support.scan import LEADLINE, NMAP, Run, scan
from tests.support.services import NOTHING, service_differences, services

SERVERS = ("snmpd", "chrony", "memcached", "dnsmasq")
# Of memcached Nmap asks one question after the other, which takes it minutes; of the two answers of snmpd it believes
# the second.
QUICK_FOR_THE_PEER = (53, 123)


@pytest.fixture(scope="module")
def servers() -> Iterator[Farm]:
    """The farm with ``SERVERS``."""
    require("peers")
    recipes = chosen(SERVERS)
    require_packages(missing_packages(recipes))
    with farm(recipes) as made:
        yield made


def ask(made: Farm, program: tuple[str, ...], ports: tuple[int, ...], *arguments: str) -> Run:
    listed = ",".join(map(str, ports))
    return scan(made.scanner, program, "-n", "-sU", "-sV", "-p", f"U:{listed}", *arguments, made.address)


def test_our_own_rules_name_every_one_of_them(servers: Farm) -> None:
    listeners = servers.listeners("udp")
    assert len(listeners) >= 3
    run = ask(servers, LEADLINE, tuple(listeners), "-oJ", "-")
    seen = services(run.xml)
    for number, (recipe, listener) in listeners.items():
        verdict = judge(listener, seen.get((servers.address, "udp", number), NOTHING))
        assert not verdict.wrong, recipe.name
        assert verdict.named, recipe.name
    (host,) = [json.loads(line)["host"] for line in run.stdout.splitlines() if '"host_done"' in line]
    for port in host["ports"]:
        assert port["service"]["evidence"]["reason"].startswith("recognised by an answer to the port scan"), port


def test_with_the_rules_of_nmap_they_are_what_nmap_says(servers: Farm) -> None:
    ports = tuple(number for number in servers.listeners("udp") if number in QUICK_FOR_THE_PEER)
    peer = ask(servers, NMAP, ports)
    ours = ask(servers, LEADLINE, ports, "--datadir", str(NMAP_DATA))
    assert service_differences(services(peer.xml), services(ours.xml)) == []
