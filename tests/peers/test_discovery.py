"""Discovery over a /20 in which a third of the hosts answer, by every kind of probe, on the link and routed."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from tests.support.compare import assert_same
from tests.support.netns import Lab
from tests.support.scan import both


def blocks(lab: Lab) -> tuple[str, str]:
    """The /20 and the /116 that the target answers a third of: 4,096 addresses each."""
    return ("10.77.16.0/20", "fd77::1000/116") if lab.router is None else ("10.88.16.0/20", "fd88::1000/116")


@pytest.fixture(scope="module")
def sparse(lab: Lab) -> Iterator[Lab]:
    """Every third address of both blocks answers; the others are silence."""
    for block in blocks(lab):
        addresses = [f"{address}/{address.max_prefixlen}" for address in list(ip_network(block))[::3]]
        if lab.router is None and ":" in block:
            lab.target.address("eth0", *addresses)  # neighbour discovery is answered for assigned addresses only
        else:
            lab.target.answers_for(*addresses)
    lab.target.listen([80, 443])
    return lab


def expect_a_third(hosts: dict[str, object], up: int) -> None:
    assert len(hosts) == 4096
    assert up == 1366


@pytest.mark.timeout(400)
@pytest.mark.parametrize("family", [4, 6])
def test_default_probes_over_a_slash_20(sparse: Lab, family: int) -> None:
    block = blocks(sparse)[family == 6]
    peer, ours = both(sparse.scanner, "-n", f"-{family}", "-sn", "-v", block)
    assert_same(peer.hosts, ours.hosts)
    expect_a_third(dict(ours.hosts), sum(host.status == "up" for host in ours.hosts.values()))


PROBES_V4 = [
    ("-PE",),
    ("-PP",),
    ("-PS80,81",),
    ("-PA80",),
    ("-PU40125",),
    ("-PO1,2,4",),
    ("-PS81", "--discovery-ignore-rst"),
    ("-PS80", "--discovery-ignore-rst"),
]


@pytest.mark.parametrize("probes", PROBES_V4, ids=" ".join)
def test_each_probe(sparse: Lab, probes: tuple[str, ...]) -> None:
    network = blocks(sparse)[0].rpartition(".")[0]
    arguments = ("-n", "-sn", "-v", "-T4", "--disable-arp-ping", *probes, f"{network}.0/28")
    peer, ours = both(sparse.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)


@pytest.mark.parametrize("probes", [("-PE",), ("-PS80,81",), ("-PA80",), ("-PU40125",)], ids=" ".join)
def test_each_probe_over_ipv6(sparse: Lab, probes: tuple[str, ...]) -> None:
    network = blocks(sparse)[1].removesuffix("1000/116")
    arguments = ("-6", "-n", "-sn", "-v", "-T4", "--disable-arp-ping", *probes, f"{network}1000/124")
    peer, ours = both(sparse.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)


@pytest.mark.parametrize("family", [4, 6])
def test_as_an_ordinary_user(sparse: Lab, family: int) -> None:
    block = blocks(sparse)[0].replace("/20", "/26") if family == 4 else blocks(sparse)[1].replace("/116", "/122")
    peer, ours = both(sparse.scanner, "-n", f"-{family}", "-sn", "-v", block, capabilities=())
    # Whether the kernel gives up on a neighbour (three seconds) before a probe's time is over is a race on both sides.
    assert_same(peer.hosts, ours.hosts, alike={"no-response", "host-unreach"})


def test_no_discovery_at_all(sparse: Lab) -> None:
    network = blocks(sparse)[0].rpartition(".")[0]
    peer, ours = both(sparse.scanner, "-n", "-Pn", "-p", "79-81", "-v", f"{network}.0/28")
    assert_same(peer.hosts, ours.hosts)
