"""``scripts/bench [NAME ...]``: run the named benches, or all of them, and print their tables.

``NAME:FIRST-LAST`` runs a long bench with these seeds only.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable

from bench import (
    accuracy,
    accuracy_large,
    dialer,
    matching,
    memory,
    overlap,
    overload,
    scans,
    services,
    silence,
    startup,
    sweeps,
    timing_rules,
    udp,
)

BENCHES: dict[str, Callable[[], str]] = {
    "startup": startup.startup,
    "accuracy": accuracy.accuracy,
    "accuracy-large": accuracy_large.accuracy_large,
    "matching": matching.matching,
    "overlap": overlap.overlap,
    "timing": timing_rules.timing_rules,
    "sweep": scans.sweep_all_up,
    "sweep-16": sweeps.sweep_16,
    "sweep-14": sweeps.sweep_14,
    "void": sweeps.void,
    "sweep-8": sweeps.sweep_8,
    "sweep-sparse": scans.sweep_third_up,
    "ports": scans.thousand_ports,
    "ports-filtered": scans.thousand_filtered_ports,
    "all-ports": scans.all_ports,
    "overload": overload.overload,
    "silent": silence.silent,
    "silent-lossy": silence.silent_lossy,
    "udp": udp.udp,
    "loopback": scans.loopback_connect,
    "memory": memory.many_ports,
    "dialer": dialer.dialer,
    "services-http": services.services_http,
    "services-mixed": services.services_mixed,
    "services-many": services.services_many,
}
# What can be run in slices.
SLICED: dict[str, Callable[[range], str]] = {"accuracy-large": accuracy_large.accuracy_large}
WITHOUT_ROOT = {"startup", "accuracy", "accuracy-large", "matching", "overlap", "overload", "timing", "dialer"}


def main(names: list[str]) -> int:
    """Run and print; the exit status (2 for a name that no bench has)."""
    if names == ["--list"]:
        for name, bench in BENCHES.items():
            print(f"{name:<16} {(bench.__doc__ or '').strip()}")
        return 0
    unknown = [name for name in names if name not in BENCHES and _slice_of(name) is None]
    if unknown:
        print(f"bench: no such bench: {', '.join(unknown)} (there are: {', '.join(BENCHES)})", file=sys.stderr)
        return 2
    print(f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {os.cpu_count()} CPUs")
    for name in names or BENCHES:
        plain, seeds = name.partition(":")[0], _slice_of(name)
        print(f"\n{name}: {(BENCHES[plain].__doc__ or '').strip()}")
        if plain not in WITHOUT_ROOT and os.geteuid() != 0:
            print("  left out: needs root (it makes network namespaces)")
            continue
        print(BENCHES[plain]() if seeds is None else SLICED[plain](seeds), flush=True)
    return 0


def _slice_of(name: str) -> range | None:
    """The seeds that ``NAME:FIRST-LAST`` names; ``None``: it is no such thing."""
    found = re.fullmatch(r"([a-z0-9-]+):(\d+)-(\d+)", name)
    if found is None or found[1] not in SLICED:
        return None
    return range(int(found[2]), int(found[3]) + 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
