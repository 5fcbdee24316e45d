"""Whole scans beside Nmap's, on a routed network of namespaces: a /16 sweep, a /24 with 1,000 ports, loopback."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.measure import LEADLINE, NMAP, Cost, measure
from bench.table import scanners
from tests.support.netns import Lab, Namespace, namespaces, routed_lab

OPEN_PORTS = (22, 80, 443, 8080)


@dataclass(frozen=True, slots=True)
class Result:
    """One scan by one scanner: ``hosts`` and ``ports`` that it found up and open."""

    cost: Cost
    hosts: int
    ports: int


def _run(namespace: Namespace, program: Sequence[str], arguments: Sequence[str]) -> Result:
    cost = measure(namespace.command(*program, *arguments, "-oG", "-"))
    lines = cost.output.splitlines()
    hosts = sum("Status: Up" in line for line in lines)
    return Result(cost, hosts, sum(line.count("/open/") for line in lines))


def side_by_side(namespace: Namespace, *arguments: str) -> str:
    """Nmap, then Leadline, with the same arguments: a table with their ratio."""
    peer = _run(namespace, NMAP, arguments)
    ours = _run(namespace, LEADLINE, arguments)
    return scanners(
        peer.cost, ours.cost, {"hosts up": (peer.hosts, ours.hosts), "ports open": (peer.ports, ours.ports)}
    )


@contextlib.contextmanager
def _answering(*prefixes: str) -> Iterator[Lab]:
    with routed_lab() as lab:
        lab.target.answers_for(*prefixes)
        lab.target.listen(OPEN_PORTS)
        yield lab


def sweep_all_up() -> str:
    """-sn of a routed /16, every host up."""
    with _answering("10.88.0.0/16") as lab:
        return side_by_side(lab.scanner, "-n", "-sn", "10.88.0.0/16")


def sweep_third_up() -> str:
    """-sn of a routed /20, a third of the hosts up."""
    with _answering() as lab:
        lab.target.answers_for(*(f"10.88.{16 + number // 256}.{number % 256}/32" for number in range(0, 4096, 3)))
        return side_by_side(lab.scanner, "-n", "-sn", "10.88.16.0/20")


def thousand_ports() -> str:
    """-sS of 1,000 ports on each host of a routed /24."""
    with _answering("10.88.1.0/24") as lab:
        return side_by_side(lab.scanner, "-n", "-sS", "-p", "1-999,8080", "10.88.1.0/24")


def thousand_filtered_ports() -> str:
    """-sS of 1,000 ports on 16 hosts whose firewall drops all but four ports."""
    with _answering("10.88.1.0/28") as lab:
        ports = ", ".join(map(str, OPEN_PORTS))
        lab.target.firewall("input", f"meta l4proto tcp tcp dport != {{ {ports} }} drop")
        return side_by_side(lab.scanner, "-n", "-sS", "-p", "1-999,8080", "10.88.1.0/28")


def all_ports() -> str:
    """-sS of 65,535 ports on one host behind a router."""
    with _answering() as lab:
        return side_by_side(lab.scanner, "-n", "-sS", "-p-", lab.target_v4)


def loopback_connect() -> str:
    """-sT of 65,535 ports on loopback."""
    with namespaces("self") as (machine,):
        machine.listen(OPEN_PORTS)
        return side_by_side(machine, "-n", "-sT", "-p-", "127.0.0.1")
