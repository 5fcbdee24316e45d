"""ACK, Window, Maimon, NULL, FIN and Xmas scans and chosen flags through a firewall that does everything to a port."""

from __future__ import annotations

import re
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

import tests.support.scapy_offline  # noqa: F401
from tests.support.capture import read_frames
from tests.support.compare import assert_same
from tests.support.netns import REJECT_V4, REJECT_V6, SUPPORT, Lab, as_user, firewall_rules
from tests.support.scan import LEADLINE, NMAP, RAW_RIGHTS, Run, both, scan

OPEN = (22, 25, 80, 443)
# Every kind of port: open, closed, dropped, reset, and a block for each reject code of either family.
PORTS = "20-30,80,443," + ",".join(f"{first}-{first + 4}" for first in range(2000, 2900, 100))
WAYS = (
    "-sA",
    "-sW",
    "-sM",
    "-sN",
    "-sF",
    "-sX",
    "--scanflags URG",
    "--scanflags SYNFIN",
    "-sF --scanflags PSHURG",
    "-sA --scanflags SYNACK",
    "-sA --scanflags FIN",
    "-sW --scanflags 18",
    "-sX --scanflags ACKFIN",
    "-sS --scanflags ALL",
)
SILENT = {"-sM", "-sN", "-sF", "-sX", "-sF --scanflags PSHURG", "-sX --scanflags ACKFIN"}


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> Iterator[Lab]:
    """The lab with servers on the target and a firewall before it."""
    where, hook = lab.firewall
    where.firewall(hook, *firewall_rules(width=5))
    lab.target.listen(OPEN)
    return lab


def of_family(lab: Lab, family: int) -> str:
    return lab.target_v4 if family == 4 else lab.target_v6


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", WAYS)
def test_every_port_is_what_nmap_says(guarded: Lab, way: str, family: int) -> None:
    target = of_family(guarded, family)
    peer, ours = both(guarded.scanner, "-n", f"-{family}", "-v", *way.split(), "-p", PORTS, target)
    assert_same(peer.hosts, ours.hosts)
    found = ours.hosts[target].ports.values()
    expected = set(REJECT_V4) if family == 4 else set(REJECT_V6) - {"addr-unreach", "failed-policy"} | {"host-unreach"}
    assert expected | {"no-response"} <= {port.reason for port in found}
    silence = "open|filtered" if way in SILENT else "filtered"
    assert {port.state for port in found if port.reason == "no-response"} == {silence}
    assert scan_info(ours) == scan_info(peer)
    assert tasks(ours) == tasks(peer)


def scan_info(run: Run) -> dict[str, str]:
    (info,) = etree.fromstring(run.xml).iter("scaninfo")
    return dict(info.attrib)


def tasks(run: Run) -> list[str]:
    """What is done to ports."""
    names = [task.get("task", "") for task in etree.fromstring(run.xml).iter("taskbegin")]
    return [name for name in names if name.endswith("Scan") and "Ping" not in name]


@pytest.mark.parametrize("way", ["-sF", "-sA", "-sN --open", "-sF -vvv", "-sA -d1"])
def test_reports_count_the_same_ports_that_are_not_shown(guarded: Lab, way: str) -> None:
    """What is listed and what is only counted: 94 ports of one state are too many to list, save with -vvv."""
    arguments = (*way.split(), "-n", "-p", "22,80,7001-7090,2000-2094", guarded.target_v4)
    peer, ours = both(guarded.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)
    assert counted(ours) == counted(peer)
    assert not_shown(ours) == not_shown(peer)
    peer_text = scan(guarded.scanner, NMAP, *arguments, "-oG", "-").stdout
    our_text = scan(guarded.scanner, LEADLINE, *arguments, "-oG", "-").stdout
    assert ports_field(our_text) == ports_field(peer_text)


def counted(run: Run) -> list[tuple[str, str]]:
    return [(each.get("state", ""), each.get("count", "")) for each in etree.fromstring(run.xml).iter("extraports")]


def not_shown(run: Run) -> list[str]:
    """The line of the normal text."""
    return [line for line in run.stdout.splitlines() if line.startswith("Not shown")]


def ports_field(text: str) -> list[list[str]]:
    """Port, state and protocol of each entry, then what is ignored. Names are from tables of each program's own."""
    (line,) = re.findall(r"Ports: (.*)", text)
    entries, _, ignored = line.partition("\t")
    return [entry.split("/")[:3] for entry in entries.split(", ")] + [[ignored]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", ["-sF", "-sA", "-sM", "-sN --scanflags SYNACK"])
def test_a_machine_that_scans_itself(guarded: Lab, way: str, family: int) -> None:
    """On loopback our probes come back to us, some of them to and from ports that are our own source ports."""
    address = "127.0.0.1" if family == 4 else "::1"
    peer, ours = both(guarded.scanner, "-n", f"-{family}", *way.split(), "-p-", address)
    assert_same(peer.hosts, ours.hosts)
    assert len(ours.hosts[address].ports) == 65_535


def test_a_capability_is_enough(guarded: Lab) -> None:
    arguments = ("-n", "-sF", "-p", PORTS, "--privileged", guarded.target_v4)
    peer, ours = both(guarded.scanner, *arguments, capabilities=RAW_RIGHTS)
    assert_same(peer.hosts, ours.hosts)


@pytest.mark.parametrize("way", ["-sF", "-sA"])
def test_what_accepts_a_connection_is_open_after_all(guarded: Lab, way: str) -> None:
    arguments = ("-n", way, "-sV", "--version-intensity", "0", "-p", "20-25,80,2100,2200", guarded.target_v4)
    peer, ours = both(guarded.scanner, *arguments)
    assert_same(peer.hosts, ours.hosts)
    found = {port for (_, port), result in ours.hosts[guarded.target_v4].ports.items() if result.state == "open"}
    assert found == ({22, 25, 80} if way == "-sF" else set())


@pytest.mark.parametrize("way", ["-sF", "--scanflags SYNFIN"])
def test_without_rights_nothing_is_scanned(guarded: Lab, way: str) -> None:
    command = as_user(*LEADLINE, "-n", *way.split(), "-p", "22", guarded.target_v4)
    done = guarded.scanner.run("env", f"PYTHONPATH={SUPPORT.parents[1] / 'src'}", *command, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs the right to send raw packets (root or CAP_NET_RAW)" in done.stderr


def probes_of(lab: Lab, program: tuple[str, ...], arguments: tuple[str, ...], folder: Path) -> list[TCP]:
    """The TCP segments that one scan sends to the target, as an independent decoder reads them.

    They are watched where they arrive: what leaves by a ring does not pass those who listen on the same interface.
    """
    path = folder / f"{program[0].rpartition('/')[2]}.frames"
    watcher = (lab.router or lab.target).start(sys.executable, "-P", str(SUPPORT / "capture.py"), "eth0", str(path))
    assert watcher.stdout is not None
    ready, _, _ = select.select([watcher.stdout], [], [], 20.0)
    assert ready
    assert watcher.stdout.readline() == "ready\n"
    try:
        scan(lab.scanner, program, *arguments)
        time.sleep(0.1)
    finally:
        watcher.kill()
        watcher.wait()
    packets = [Ether(frame) for frame in read_frames(path)]
    targets = {lab.target_v4, lab.target_v6}
    return [
        packet[TCP]
        for packet in packets
        if TCP in packet and (packet[IP].dst if IP in packet else packet[IPv6].dst) in targets
    ]


def look(segment: TCP) -> tuple[object, ...]:
    """What an observer would tell scanners by: flags, which numbers are zero, window, urgent pointer, options, data."""
    return (
        segment.dport, str(segment.flags), segment.seq == 0, segment.ack == 0, segment.window, segment.urgptr,
        tuple(segment.options), segment.reserved, len(segment.payload),
    )  # fmt: skip


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("way", ["--scanflags SYNFIN"])
def test_probes_look_like_those_of_nmap(guarded: Lab, way: str, family: int, tmp_path: Path) -> None:
    arguments = ("-n", f"-{family}", "-Pn", *way.split(), "-p", "22,23,2000,2100", of_family(guarded, family))
    theirs = probes_of(guarded, NMAP, arguments, tmp_path)
    ours = probes_of(guarded, LEADLINE, arguments, tmp_path)
    assert {look(segment) for segment in ours if segment.flags != "R"} == {
        look(segment) for segment in theirs if segment.flags != "R"
    }
    assert {segment.dport for segment in ours} == {22, 23, 2000, 2100}
    # The second try of a port goes out from another source port, as with Nmap.
    again = [segment.sport for segment in ours if segment.dport == 2000 and segment.flags != "R"]
    assert len(set(again)) == len(again) >= 2
