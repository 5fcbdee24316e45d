"""Hosts whose firewall drops everything, behind a router, with and without loss on the path, beside Nmap.

Nmap would need half an hour: it is measured with few ports and scaled by what each further port costs it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

from bench.measure import LEADLINE, NMAP, measure
from bench.table import table
from tests.support.netns import Lab, routed_lab

TARGETS = "10.88.1.0/28"
HOSTS, PORTS = 16, 1000
# Nmap's two runs, ports of one host each; the difference is what a port costs it.
NMAP_FEW, NMAP_MANY = 50, 150
HIDDEN = 20
RUNS = 20
LOSS = "numgen random mod 100 < 3 drop"
SCAN = ("-n", "-Pn", "-T4", "-sS", "-p", f"1-{PORTS}")


@contextlib.contextmanager
def silent_lab(opened: list[tuple[str, int]], *, loss: str = "") -> Iterator[Lab]:
    """``TARGETS`` answer nothing but connections to ``opened``; the router limits its ICMP errors as Linux does by
    default, and drops what ``loss`` says, both ways.
    """
    with routed_lab() as lab:
        assert lab.router is not None
        lab.router.sysctl("net/ipv4/icmp_ratelimit", "1000")
        lab.router.sysctl("net/ipv4/icmp_msgs_per_sec", "1000")
        lab.router.sysctl("net/ipv4/icmp_msgs_burst", "50")
        lab.target.answers_for(TARGETS)
        pairs = ", ".join(f"{address} . {port}" for address, port in opened)
        if opened:
            lab.target.listen(sorted({port for _, port in opened}))
        allowed = [f"ip daddr . tcp dport {{ {pairs} }} accept"] if pairs else []
        lab.target.firewall("input", *allowed, f"ip daddr {TARGETS} drop")
        if loss:
            lab.router.firewall("forward", loss)
        yield lab


def hidden_ports(seed: int) -> list[tuple[str, int]]:
    """``HIDDEN`` pairs of host and port among all that are scanned."""
    chosen = random.Random(seed).sample(range(HOSTS * PORTS), HIDDEN)
    return [(f"10.88.1.{number // PORTS}", number % PORTS + 1) for number in chosen]


def found_ports(greppable: str) -> set[tuple[str, int]]:
    """Open ports in ``-oG`` output."""
    found = set()
    for line in greppable.splitlines():
        if "Ports:" in line:
            address = line.split()[1]
            ports = line.split("Ports:")[1].split("\t")[0].split(",")
            found |= {(address, int(port.split("/")[0])) for port in ports if "/open/" in port}
    return found


def nmap_seconds(lab: Lab) -> float:
    """What Nmap would need for all of it, by its own cost a port."""
    walls = []
    for ports in (NMAP_FEW, NMAP_MANY):
        one = ("-n", "-Pn", "-T4", "-sS", "-p", f"1-{ports}", "10.88.1.0")
        walls.append(measure(lab.scanner.command(*NMAP, *one)).wall)
    slope = (walls[1] - walls[0]) / (NMAP_MANY - NMAP_FEW)
    return slope * HOSTS * PORTS


def silent() -> str:
    """-sS -Pn -T4 of 1,000 ports on 16 hosts that drop everything (Nmap's time scaled from 50 and 150 ports)."""
    with silent_lab([]) as lab:
        peer = nmap_seconds(lab)
        ours = measure(lab.scanner.command(*LEADLINE, *SCAN, TARGETS))
    rows = [
        ["nmap (scaled)", f"{peer:.0f} s", ""],
        ["leadline", f"{ours.wall:.2f} s", f"1/{peer / ours.wall:.0f}"],
    ]
    return table(["scanner", "wall", "of Nmap's"], rows)


def silent_lossy() -> str:
    """The same with 3 % loss each way and 20 open ports hidden among the 16,000, 20 runs (Nmap scaled as before)."""
    rows, missed_by_all, worst = [], 0, 0.0
    for run in range(RUNS):
        opened = hidden_ports(run)
        with silent_lab(opened, loss=LOSS) as lab:
            if not run:
                peer = nmap_seconds(lab)
            ours = measure(lab.scanner.command(*LEADLINE, *SCAN, TARGETS, "-oG", "-"))
        found = found_ports(ours.output)
        missed, false = set(opened) - found, found - set(opened)
        missed_by_all += len(missed)
        worst = max(worst, ours.wall)
        rows.append([str(run), f"{ours.wall:.2f} s", f"1/{peer / ours.wall:.0f}", str(len(missed)), str(len(false))])
    head = f"Nmap's time, scaled: {peer:.0f} s; slowest of ours {worst:.2f} s; missed in all runs: {missed_by_all}"
    return head + "\n" + table(["run", "wall", "of Nmap's", "missed", "false"], rows)
