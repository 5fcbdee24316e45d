"""Results as text: one aligned table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.measure import Cost


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        rest = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join([cells[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def ratio(ours: float, peer: float) -> str:
    """How many times the peer's amount ours is; below 1 is better."""
    return f"{ours / peer:.2f}x" if peer else "-"


def scanners(peer: Cost, ours: Cost, counts: Mapping[str, tuple[int, int]]) -> str:
    """What one scan cost Nmap and Leadline, and their ratio. ``counts``: what they found by its title, Nmap's first."""

    def row(name: str, cost: Cost, found: Iterable[int]) -> list[str]:
        return [name, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.memory / 2**20:.0f} MiB", *map(str, found)]

    costs = (ours.wall, peer.wall), (ours.cpu, peer.cpu), (ours.memory, peer.memory)
    found = [(own, others) for others, own in counts.values()]
    ratios = ["ratio", *(ratio(own, others) for own, others in (*costs, *found))]
    rows = [row("nmap", peer, (others for _, others in found)), row("leadline", ours, (own for own, _ in found))]
    return table(["scanner", "wall", "cpu", "peak memory", *counts], [*rows, ratios])
