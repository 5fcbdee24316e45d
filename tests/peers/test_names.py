"""Names, forward and reverse, from a name server that the test starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.compare import assert_same
from tests.support.netns import Lab, routed_lab
from tests.support.scan import both

ZONE = {
    "www.example.test": ["10.88.0.2", "fd88::2"],
    "mail.example.test": ["10.88.9.1"],
    "both.example.test": ["10.88.9.2", "10.88.9.3"],
    "under_score-1.example.test": ["10.88.9.4"],
}
SERVER = "10.88.53.53"


@pytest.fixture(scope="module")
def named() -> Iterator[Lab]:
    """A routed target that is the name server too, and is the system's one in the scanner's namespace."""
    with routed_lab() as lab:
        lab.target.answers_for("10.88.9.0/29", f"{SERVER}/32")
        lab.target.address("lo", "fd88::53/128")
        lab.target.name_server(SERVER, ZONE)
        lab.target.name_server("fd88::53", ZONE)
        lab.target.listen([80])
        with lab.scanner.resolver(SERVER):
            yield lab


@pytest.mark.parametrize("server", [SERVER, "fd88::53"])
def test_reverse_names_of_hosts_that_are_up(named: Lab, server: str) -> None:
    peer, ours = both(named.scanner, "-sn", "--dns-servers", server, "10.88.9.0/28")
    assert_same(peer.hosts, ours.hosts)
    assert ("mail.example.test", "PTR") in ours.hosts["10.88.9.1"].names


def test_reverse_names_of_a_list(named: Lab) -> None:
    peer, ours = both(named.scanner, "-sL", "--dns-servers", SERVER, "10.88.9.0/28")
    assert_same(peer.hosts, ours.hosts)
    assert len(ours.hosts) == 16


def test_reverse_names_of_all(named: Lab) -> None:
    peer, ours = both(named.scanner, "-sn", "-R", "-v", "--dns-servers", SERVER, "10.88.9.0/28")
    assert_same(peer.hosts, ours.hosts)


@pytest.mark.parametrize("option", [(), ("--system-dns",)], ids=["own resolver", "system resolver"])
def test_names_as_targets(named: Lab, option: tuple[str, ...]) -> None:
    arguments = ("-sS", "-p", "79-81", *option, "www.example.test", "mail.example.test")
    peer, ours = both(named.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)
    assert ("www.example.test", "user") in ours.hosts["10.88.0.2"].names


def test_a_name_over_ipv6(named: Lab) -> None:
    peer, ours = both(named.scanner, "-6", "-p", "79-81", "www.example.test")
    assert_same(peer.hosts, ours.hosts)
    assert "fd88::2" in ours.hosts


def test_every_address_of_a_name(named: Lab) -> None:
    peer, ours = both(named.scanner, "-sn", "--resolve-all", "both.example.test")
    assert_same(peer.hosts, ours.hosts)
    assert set(ours.hosts) == {"10.88.9.2", "10.88.9.3"}


def test_a_name_with_a_prefix_length(named: Lab) -> None:
    peer, ours = both(named.scanner, "-sn", "mail.example.test/30")
    assert_same(peer.hosts, ours.hosts)


def test_a_name_that_does_not_resolve(named: Lab) -> None:
    peer, ours = both(named.scanner, "-sn", "nobody.example.test", "mail.example.test")
    assert_same(peer.hosts, ours.hosts)
    assert "nobody.example.test" in ours.stdout + ours.stderr
