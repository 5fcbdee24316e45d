"""What it costs to start: ``leadline -V`` beside the bare interpreter, through the module and through the launcher."""

from __future__ import annotations

import sys

from bench.measure import LEADLINE, ROOT, best
from bench.table import table

RUNS = 15


def startup() -> str:
    """-V, --help and the launcher, above the bare interpreter (goal: at most 100 ms for -V)."""
    commands = {
        "python -c pass": [sys.executable, "-P", "-c", "pass"],
        "leadline -V": [*LEADLINE, "-V"],
        "leadline --help": [*LEADLINE, "--help"],
        "scripts/leadline -V": [str(ROOT / "scripts" / "leadline"), "-V"],
        "nmap -V": ["nmap", "-V"],
    }
    costs = {name: best(command, RUNS) for name, command in commands.items()}
    bare = costs["python -c pass"].wall
    rows = [
        [name, f"{cost.wall * 1000:.0f} ms", f"{(cost.wall - bare) * 1000:+.0f} ms", f"{cost.memory / 2**20:.0f} MiB"]
        for name, cost in costs.items()
    ]
    return table(["command", "wall (best)", "above bare", "peak memory"], rows)
