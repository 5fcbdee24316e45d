"""``scripts/bench [NAME ...]``: run the named benches, or all of them, and print their tables."""

from __future__ import annotations

import os
import platform
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
WITHOUT_ROOT = {"startup", "accuracy", "accuracy-large", "matching", "overlap", "overload", "timing", "dialer"}


def main(names: list[str]) -> int:
    """Run and print; the exit status (2 for a name that no bench has)."""
    if names == ["--list"]:
        for name, bench in BENCHES.items():
            print(f"{name:<16} {(bench.__doc__ or '').strip()}")
        return 0
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"bench: no such bench: {', '.join(unknown)} (there are: {', '.join(BENCHES)})", file=sys.stderr)
        return 2
    print(f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {os.cpu_count()} CPUs")
    for name in names or BENCHES:
        print(f"\n{name}: {(BENCHES[name].__doc__ or '').strip()}")
        if name not in WITHOUT_ROOT and os.geteuid() != 0:
            print("  left out: needs root (it makes network namespaces)")
            continue
        print(BENCHES[name](), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
