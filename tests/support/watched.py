"""Two labs alike, one for each scanner, whose packets are watched where they arrive and compared.

What ``compare`` leaves out, and why: ARP, neighbour discovery and what kernels say by themselves (RSTs, multicast
reports).
Of the scanners' own questions about next hops Leadline's stay right with --badsum and --ttl, which shape Nmap's over
IPv6, so that nobody answers them.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.netns import Lab, on_link_lab
from tests.support.packet_looks import SCANNER_MAC, TARGET_MAC, looks
from tests.support.scan import LEADLINE, NMAP, scan
from tests.support.watch import Datagram, Watch, datagrams, watch

ALIAS = {4: "10.77.0.8", 6: "fd77::8"}
HASTE = ("-n", "--max-retries", "0", "--initial-rtt-timeout", "100ms", "--max-rtt-timeout", "100ms")


@dataclass(frozen=True, slots=True)
class Bench:
    """One lab for each scanner, alike to the hardware addresses, so that both scan at the same time."""

    labs: tuple[Lab, Lab]
    watches: tuple[Watch, Watch]
    threads: ThreadPoolExecutor


@contextmanager
def watched_lab(path: Path) -> Iterator[tuple[Lab, Watch]]:
    """Ports 7001 and 7002 answer that they are closed, pings are dropped: no answer makes a kernel add packets."""
    with on_link_lab() as lab:
        lab.scanner.ip(f"link set eth0 address {SCANNER_MAC}")
        lab.target.ip(f"link set eth0 address {TARGET_MAC}")
        for address, length in ((ALIAS[4], 32), (ALIAS[6], 128)):
            lab.scanner.address("lo", f"{address}/{length}")
        lab.target.firewall(
            "input", "tcp dport {80} drop", "udp dport {7009, 40125} drop", "icmp type {8, 13, 17} drop",
            "icmpv6 type 128 drop", "ip protocol {4, 99, 132} drop", "ip6 nexthdr 132 drop",
        )  # fmt: skip
        with watch(lab.target, "eth0", path) as seen:
            yield lab, seen


@contextmanager
def watched_bench(folder: Path) -> Iterator[Bench]:
    """Both labs; the frames are kept in ``folder``."""
    with (
        watched_lab(folder / "peer") as (theirs, their_watch),
        watched_lab(folder / "ours") as (ours, our_watch),
        ThreadPoolExecutor(2) as threads,
    ):
        yield Bench((theirs, ours), (their_watch, our_watch), threads)


def probes(bench: Bench, arguments: list[str]) -> tuple[list[Datagram], list[Datagram]]:
    """What Nmap sends and what Leadline sends, without what kernels say by themselves."""

    def run(which: int) -> list[Datagram]:
        seen = bench.watches[which]
        seen.frames()
        scan(bench.labs[which].scanner, (NMAP, LEADLINE)[which], *HASTE, *arguments)
        return [one for one in datagrams(seen.frames(), f"-{TARGET_MAC}") if not of_kernel(one)]

    theirs, ours = bench.threads.map(run, (0, 1))
    return theirs, ours


def of_kernel(one: Datagram) -> bool:
    """RSTs to what nobody waits for, and the talk of IPv6 hosts."""
    if one.protocol == 6:
        return one.payload[13] == 4
    return one.version == 6 and (one.protocol in (0, 58) and one.port != 128)


def words(shape: str) -> list[str]:
    """Arguments of a shape; colons stand for the spaces within one."""
    return [word.replace(":", " ") if word.startswith("--ip-options=") else word for word in shape.split()]


def compare(bench: Bench, arguments: list[str], shape: str, family: int = 4) -> list[Datagram]:
    """Both scanners' packets look alike; returns ours."""
    target = bench.labs[0].target_v4 if family == 4 else bench.labs[0].target_v6
    theirs, ours = probes(bench, [*arguments, *words(shape), target])
    assert theirs
    shape = f"{shape} {' '.join(arguments)}"
    assert looks(ours, shape, target) == looks(theirs, shape, target)
    return ours
