"""Shaped packets before real kernels and real firewalls: who takes them, who does not, and whose answers are ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.netns import SUPPORT, Lab, connect, on_link_lab, routed_lab
from tests.support.scan import LEADLINE, scan
from tests.support.watch import datagrams, watch

QUICK = ("-n", "--max-retries", "1", "--max-rtt-timeout", "200ms", "--initial-rtt-timeout", "200ms")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A server on port 80 behind a router; 22 is closed, 25 is dropped."""
    with routed_lab() as made:
        made.target.listen((80,))
        assert made.router is not None
        made.router.firewall("forward", "tcp dport 25 drop")
        yield made


def states(lab: Lab, *arguments: str, target: str = "", ports: str = "22,25,80") -> dict[int, str]:
    """What a scan finds."""
    where = target or lab.target_v4
    run = scan(lab.scanner, LEADLINE, *QUICK, "-p", ports, *arguments, where)
    return {port: found.state for (_, port), found in run.hosts[where].ports.items()}


AS_EVER = {22: "closed", 25: "filtered", 80: "open"}


@pytest.mark.parametrize(
    "shape",
    [
        "-f", "-D RND:5,ME -ff --data-length 40", "-g 53 --data-string hello --ttl 9", "--ip-options T", "--send-ip",
        "--spoof-mac 0 --disable-arp-ping",
    ],
)  # fmt: skip
def test_answers_are_believed_in_every_shape(lab: Lab, shape: str) -> None:
    assert states(lab, *shape.split()) == AS_EVER


def test_tries_are_told_apart_with_one_port_only(lab: Lab) -> None:
    """A path that loses every second packet from port 53: what gets through on the second try counts as such."""
    assert lab.router is not None
    lab.router.firewall("prerouting", "tcp sport 53 tcp dport {22, 80} numgen inc mod 2 == 0 drop")
    run = scan(lab.scanner, LEADLINE, "-n", "-Pn", "-g", "53", "-p", "22,80", lab.target_v4)
    lab.router.run("nft", "delete", "table", "inet", "prerouting")
    assert {port: found.state for (_, port), found in run.hosts[lab.target_v4].ports.items()} == {
        22: "closed",
        80: "open",
    }


def test_a_firewall_that_drops_fragments_is_seen(lab: Lab) -> None:
    """The reason for ``-f``: this one lets whole packets through and drops all pieces but the first."""
    assert lab.router is not None
    lab.router.run("nft", "add", "table", "ip", "pieces")
    lab.router.run("nft", "add chain ip pieces filter { type filter hook prerouting priority -500; }")
    lab.router.run("nft", "add rule ip pieces filter ip frag-off & 0x1fff != 0 drop")
    assert states(lab, "-Pn", "-f") == dict.fromkeys((22, 25, 80), "filtered")
    assert states(lab, "-Pn") == AS_EVER
    lab.router.run("nft", "delete", "table", "ip", "pieces")


def test_nobody_who_looks_answers_a_bad_checksum(lab: Lab) -> None:
    """A kernel drops them; a box that refuses without looking gives itself away."""
    assert lab.router is not None
    assert states(lab, "-Pn", "--badsum") == dict.fromkeys((22, 25, 80), "filtered")
    careless = lab.router.start(sys.executable, "-P", str(SUPPORT / "careless.py"), "eth0", "25")
    assert careless.stdout is not None
    assert careless.stdout.readline() == "ready\n"
    assert states(lab, "-Pn", "--badsum") == {22: "filtered", 25: "closed", 80: "filtered"}
    careless.kill()


def test_answers_to_the_address_of_another(tmp_path: Path) -> None:
    """They go to somebody else's card: seen in promiscuous mode, as on a mirror port."""
    with on_link_lab() as lab:
        lab.target.listen((80,))
        lab.target.ip("neigh add 10.77.0.9 lladdr 02:00:00:00:00:99 dev eth0 nud permanent")
        with watch(lab.target, "eth0", tmp_path / "frames") as seen:
            assert states(lab, "-S", "10.77.0.9", "-e", "eth0", "-Pn", ports="22,80") == {22: "closed", 80: "open"}
            sent = datagrams(seen.frames(), lab.scanner.run("cat", "/sys/class/net/eth0/address").stdout.strip())
        assert {one.source for one in sent if one.version == 4} == {"10.77.0.9"}


def test_the_interface_that_was_chosen(tmp_path: Path) -> None:
    """Two cables lead to the target: the kernel would take the first."""
    with on_link_lab() as lab:
        connect(lab.scanner, "eth1", lab.target, "eth1")
        lab.scanner.address("eth1", "10.77.0.3/16")
        lab.target.sysctl("net/ipv4/conf/all/rp_filter", "0")
        lab.target.listen((80,))
        for way in ("-sS", "-sS --send-ip", "-sT"):
            with watch(lab.target, "eth1", tmp_path / "frames") as seen:
                scan(lab.scanner, LEADLINE, *QUICK, *way.split(), "-Pn", "-p", "80", "-e", "eth1", lab.target_v4)
                sent = [one for one in datagrams(seen.frames()) if one.protocol == 6 and one.port == 80]
            assert {one.source for one in sent} == {"10.77.0.3"}, way


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ("-e eth9", 1, "there is no interface 'eth9'"),
        ("-sT -S 192.0.2.9", 1, "connections cannot be made from 192.0.2.9"),
        ("-f -6", 2, "-f is about IPv4 packets"),
        ("-sT -f", 2, "-sT sends none"),
        ("--ttl 256", 2, "--ttl needs a number from 0 to 255"),
    ],
)
def test_mistakes(lab: Lab, arguments: str, status: int, words: str) -> None:
    done = lab.scanner.run(
        "env", f"PYTHONPATH={SUPPORT.parents[1] / 'src'}", *LEADLINE, *arguments.split(), lab.target_v4, check=False
    )
    assert done.returncode == status
    assert words in done.stderr


def test_resets_that_come_slowly_are_not_waited_for(tmp_path: Path) -> None:
    """A host that sends 20 resets a second: with the option its closed ports cost no more time, open ones are found."""
    with on_link_lab() as lab:
        lab.target.listen((80, 7055))
        lab.target.firewall("output", "tcp flags & rst == rst limit rate over 20/second burst 5 packets drop")
        found = states(lab, "--defeat-rst-ratelimit", ports="80,7000-7100", target=lab.target_v4)
        assert {port for port, state in found.items() if state == "open"} == {80, 7055}
        assert set(found.values()) == {"open", "closed", "filtered"}
