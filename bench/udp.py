"""The UDP scan of a Linux host with its default limit of ICMP errors, beside Nmap.

The whole takes either scanner a quarter of an hour, as one closed port a second can be told: both are measured with few
ports, and what each further port costs says what 1,000 take.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import LEADLINE, NMAP, measure
from bench.table import ratio, table
from tests.support.demanding import ANSWERING
from tests.support.netns import SUPPORT, Lab, on_link_lab

PORTS = 1000
FEW, MANY = 30, 70
# The first seconds of the whole scan; by then all that answers is to be found.
FIRST = 12.0
CLOSED = 40_000


@contextlib.contextmanager
def limited_lab() -> Iterator[Lab]:
    """A host that limits its ICMP errors as Linux does by default, with servers that want to be asked properly."""
    with on_link_lab() as lab:
        lab.target.sysctl("net/ipv4/icmp_ratelimit", "1000")
        lab.target.sysctl("net/ipv4/icmp_msgs_per_sec", "1000")
        lab.target.sysctl("net/ipv4/icmp_msgs_burst", "50")
        servers = lab.target.start(sys.executable, "-P", str(SUPPORT / "demanding.py"))
        assert servers.stdout is not None
        if servers.stdout.readline().strip() != "ready":
            raise RuntimeError("the UDP servers did not start")
        yield lab


def found_at(lines: Sequence[str]) -> dict[int, float]:
    """When each open port was found, from JSON lines; seconds since the scan began."""
    events = (json.loads(line) for line in lines if '"port_found"' in line)
    return {event["port"]["number"]: event["at"] for event in events}


def _first_seconds() -> str:
    with limited_lab() as lab, tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "scan.json"
        command = ["timeout", "-s", "INT", str(FIRST), *LEADLINE, "-n", "-sU", "-oJ", str(told), lab.target_v4]
        lab.scanner.run(*command, check=False)
        times = found_at(told.read_text().splitlines())
    missed = sorted(ANSWERING - set(times))
    lines = [f"answering ports found in the first {FIRST:g} s of {PORTS}: {len(times)} of {len(ANSWERING)}"]
    lines += [f"the last of them after {max(times.values(), default=0.0):.2f} s"]
    return "\n".join([*lines, f"missed: {missed}"] if missed else lines)


def _wall(program: Sequence[str], ports: int) -> float:
    with limited_lab() as lab:
        arguments = ("-n", "-sU", "-p", f"{CLOSED}-{CLOSED + ports - 1}", lab.target_v4)
        return measure(lab.scanner.command(*program, *arguments)).wall


def udp() -> str:
    """-sU of 1,000 ports of a Linux host with its default ICMP limit: when what answers is found, and the whole."""
    runs = [(program, ports) for program in (NMAP, LEADLINE) for ports in (FEW, MANY)]
    with ThreadPoolExecutor(len(runs)) as pool:
        walls = list(pool.map(lambda run: _wall(*run), runs))
    rows = []
    for name, few, many in (("nmap", *walls[:2]), ("leadline", *walls[2:])):
        whole = many + (many - few) / (MANY - FEW) * (PORTS - MANY)
        rows.append((name, few, many, whole))
    cells = [[name, *(f"{wall:.1f} s" for wall in told)] for name, *told in rows]
    cells.append(["ratio", *(ratio(own, peer) for own, peer in zip(rows[1][1:], rows[0][1:], strict=True))])
    head = ["scanner", f"{FEW} closed", f"{MANY} closed", f"{PORTS} closed (scaled)"]
    return f"{table(head, cells)}\n{_first_seconds()}"
