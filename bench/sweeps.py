"""Sweeps beside masscan and zmap: large networks on one port, and packets a second into a void."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure import LEADLINE, Cost, measure
from bench.table import ratio, table
from tests.support.netns import Namespace, connect, namespaces

SCANNER, TARGET, MAC = "10.77.0.1", "10.77.0.2", "02:00:00:00:77:02"
# masscan waits long after its last packet whatever --wait says; it is stopped after this many seconds.
PATIENCE = 15
# Runs in turns; the one of median wall time is shown, with the fewest hosts that any of them found.
RUNS = 5
THOROUGH = 0.99


@dataclass(frozen=True, slots=True)
class Peer:
    """A scanner with its settings: ``command`` writes one line for each address that answered to ``{file}``."""

    name: str
    command: tuple[str, ...]


ZMAP = ("zmap", "-q", "-i", "eth0", "-G", MAC, "-S", SCANNER, "-p", "80", "-B", "100G", "-b", "/dev/null",
        "--output-module=csv", "-f", "saddr", "--output-filter=repeat = 0")  # fmt: skip
MASSCAN = ("sh", "-c", f'timeout {PATIENCE} masscan "$@"; true', "masscan", "--rate", "10000000", "--wait", "0",
           "-p80", "--router-mac", MAC, "--show", "closed")  # fmt: skip
# Full rate; one and two sending threads, the shortest wait for late answers that each knows.
PEERS = (
    Peer("zmap -T 1 -c 1", (*ZMAP, "-T", "1", "-c", "1", "-o", "{file}", "{network}")),
    Peer("zmap -T 2 -c 1", (*ZMAP, "-T", "2", "-c", "1", "-o", "{file}", "{network}")),
    Peer("zmap -T 1 -c 0", (*ZMAP, "-T", "1", "-c", "0", "-o", "{file}", "{network}")),
    Peer("masscan", (*MASSCAN, "-oL", "{file}", "{network}")),
)
OURS = ("-sS", "-Pn", "-n", "-p", "80")


@contextlib.contextmanager
def cable(*networks: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Scanner and target on one cable; the target answers for the networks (with RSTs: nothing listens)."""
    with namespaces("scanner", "target") as (scanner, target):
        connect(scanner, "eth0", target, "eth0")
        target.ip(f"link set eth0 address {MAC}")
        scanner.address("eth0", f"{SCANNER}/24")
        target.address("eth0", f"{TARGET}/24")
        scanner.ip(f"route add default via {TARGET}", f"neigh replace {TARGET} lladdr {MAC} dev eth0")
        target.answers_for(*networks)
        yield scanner, target


def _theirs(peer: Peer, scanner: Namespace, network: str) -> tuple[Cost, int]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found"
        command = [part.format(file=file, network=network) for part in peer.command]
        cost = measure(scanner.command(*command))
        text = file.read_text() if file.exists() else ""
        return cost, len(set(re.findall(r"\b10\.\d+\.\d+\.\d+\b", text)))


def _ours(scanner: Namespace, network: str) -> tuple[Cost, int]:
    cost = measure(scanner.command(*LEADLINE, *OURS, network, "-oG", "-"))
    return cost, cost.output.count("Status: Up")


def _beside_peers(network: str, hosts: int) -> str:
    with cable(network) as (scanner, _):
        _ours(scanner, network)  # compiles our files
        runs: dict[str, list[tuple[Cost, int]]] = {}
        for turn in range(RUNS):
            runs.setdefault("leadline", []).append(_ours(scanner, network))
            # A run of masscan tells as much as five.
            for peer in PEERS if not turn else PEERS[:-1]:
                runs.setdefault(peer.name, []).append(_theirs(peer, scanner, network))
    median = {name: sorted(some, key=lambda run: run[0].wall)[len(some) // 2][0] for name, some in runs.items()}
    least = {name: min(found for _, found in some) for name, some in runs.items()}
    rows = [_row(name, median[name], least[name], hosts) for name in runs]
    ours, others = median["leadline"].wall, [peer.name for peer in PEERS]
    # What a peer does not find costs it no time: its answers were dropped on the way.
    thorough = [median[name].wall for name in others if least[name] >= THOROUGH * hosts]
    rows.append(["ratio to the fastest", ratio(ours, min(median[name].wall for name in others)), "", "", "", ""])
    rows.append(["... that found 99 %", ratio(ours, min(thorough, default=0.0)), "", "", "", ""])
    return table(["scanner", "wall", "cpu", "peak memory", "found", "missed"], rows)


def _row(name: str, cost: Cost, found: int, hosts: int) -> list[str]:
    memory = f"{cost.memory / 2**20:.0f} MiB"
    return [name, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", memory, str(found), str(hosts - found)]


def sweep_16() -> str:
    """-sS -Pn of one port of a routed /16 where every address answers, beside masscan and zmap at full rate."""
    return _beside_peers("10.88.0.0/16", 1 << 16)


def sweep_14() -> str:
    """The same of a /14."""
    return _beside_peers("10.88.0.0/14", 1 << 18)


def void() -> str:
    """Packets a second over a cable whose far end drops everything: a /12 on one port, beside zmap and masscan."""
    with cable() as (scanner, target):
        _drop_all(target)
        network = "10.96.0.0/12"
        rows = [_void_row("leadline", scanner, (*LEADLINE, *OURS, network, "-oG", "-"))]
        for peer in PEERS:
            command = [part.format(file="/dev/null", network=network) for part in peer.command]
            rows.append(_void_row(peer.name, scanner, command))
        return table(["scanner", "packets", "wall", "packets a second", "in its best second"], rows)


def sweep_8() -> str:
    """The memory and time of a /8 on one port, everything dropped (minutes)."""
    with cable() as (scanner, target):
        _drop_all(target)
        cost = measure(scanner.command(*LEADLINE, *OURS, "10.0.0.0/8", "-oG", "-"))
        row = [f"{cost.wall:.0f} s", f"{cost.cpu:.0f} s", f"{cost.memory / 2**20:.0f} MiB"]
        return table(["wall", "cpu", "peak memory"], [row])


def _drop_all(target: Namespace) -> None:
    hook = 'type filter hook ingress device "eth0" priority 0;'
    rules = f"table netdev void {{\n  chain drops {{\n    {hook}\n    drop\n  }}\n}}\n"
    target.run("nft", rules)


# Prints the time and how many packets the cable has carried, again and again.
WATCH = """
import time
with open("/sys/class/net/eth0/statistics/tx_packets") as file:
    while True:
        file.seek(0)
        print(time.monotonic(), file.read().strip(), flush=True)
        time.sleep(0.05)
"""


def _void_row(name: str, scanner: Namespace, command: Sequence[str]) -> list[str]:
    with tempfile.TemporaryFile("w+") as file:
        watch = subprocess.Popen(scanner.command(sys.executable, "-c", WATCH), stdout=file, text=True)
        try:
            cost = measure(scanner.command(*command))
        finally:
            watch.terminate()
            watch.wait()
        file.seek(0)
        seen = np.array([line.split() for line in file.read().splitlines()[:-1]], float)
    packets = int(seen[-1, 1] - seen[0, 1])
    rates = f"{packets / cost.wall / 1000:,.0f} k", f"{_best_second(seen) / 1000:,.0f} k"
    return [name, f"{packets:,}", f"{cost.wall:.1f} s", *rates]


def _best_second(seen: NDArray[np.float64]) -> float:
    """The most packets that were sent within a second; ``seen``: rows of time and count."""
    times, counts = seen[:, 0], seen[:, 1]
    later = np.interp(times + 1.0, times, counts)
    return float((later - counts).max())
