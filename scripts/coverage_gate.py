"""Holds the coverage of branches: at least 97 % in pure packages, 90 % in the others.

Reads the JSON report of coverage.py, prints one line for each package and exits 1 when one is below its goal.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

PURE = {"errors", "model", "wire", "data", "targets", "plan", "report"}
PURE_GOAL, GOAL = 97.0, 90.0


class Count(NamedTuple):
    """Branches (or, in files without any, statements) that exist and that ran."""

    total: int = 0
    covered: int = 0

    def plus(self, total: int, covered: int) -> Count:
        return Count(self.total + total, self.covered + covered)

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.total if self.total else 100.0


def package_of(path: str) -> str:
    """``src/leadline/wire/tcp.py`` -> ``wire``; a module beside the packages is its own."""
    parts = Path(path).parts
    inside = parts[parts.index("leadline") + 1 :]
    return inside[0] if len(inside) > 1 else Path(inside[0]).stem


def main(report: str) -> int:
    """Print the table for one report file; the exit status."""
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    branches: dict[str, Count] = defaultdict(Count)
    lines: dict[str, Count] = defaultdict(Count)
    for path, entry in files.items():
        package, summary = package_of(path), entry["summary"]
        branches[package] = branches[package].plus(summary["num_branches"], summary["covered_branches"])
        lines[package] = lines[package].plus(summary["num_statements"], summary["covered_lines"])
    below = 0
    print(f"{'package':<12} {'branches':>9} {'lines':>7} {'goal':>6}")
    for package in sorted(branches):
        goal = PURE_GOAL if package in PURE else GOAL
        verdict = "" if branches[package].percent >= goal else "  below its goal"
        below += bool(verdict)
        print(
            f"{package:<12} {branches[package].percent:>8.1f}% {lines[package].percent:>6.1f}% {goal:>5.0f}%{verdict}"
        )
    if below:
        for path in sorted(files, key=lambda name: files[name]["summary"]["missing_branches"], reverse=True)[:10]:
            summary = files[path]["summary"]
            print(f"  {path}: {summary['missing_branches']} of {summary['num_branches']} branches missing")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
