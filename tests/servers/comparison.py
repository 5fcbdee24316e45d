"""``scripts/peers``: all real servers scanned by Nmap and by Leadline, with our own rules and with Nmap's; one table.

The exit status is 1 when a bound is missed: service and product named, versions told, no wrong product, and with
Nmap's own rules nothing different from Nmap but what ``EXPLAINED`` gives a documented reason for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.table import table
from tests.servers.datagrams import detect
from tests.servers.explained import Setting, explanation
from tests.servers.farm import Farm, end_kindly, farm
from tests.servers.packages import missing_packages
from tests.servers.recipe import Listener, Recipe
from tests.servers.recipes import chosen
from tests.servers.replays import replay
from tests.servers.verdict import Verdict, judge, share
from tests.support.compare import compress
from tests.support.scan import LEADLINE, NMAP, Run, scan
from tests.support.services import NOTHING, Difference, Place, Seen, service_differences, services

NMAP_DATA = Path("/usr/share/nmap")
NAMED_AT_LEAST = 0.95
SERVERS_AT_LEAST = 40
LONGEST_SCAN = 3600.0
# Nmap asks a silent port for minutes; more ports at a time change no wait of a single one.
PEER = (*NMAP, "--min-parallelism", "60")


@dataclass(frozen=True, slots=True)
class Row:
    """One port and what was said of it. ``replayed``: ours with Nmap's rules."""

    number: int
    recipe: Recipe
    listener: Listener
    peer: Seen
    ours: Seen
    replayed: Seen
    verdict: Verdict
    peer_verdict: Verdict


def scan_ports(made: Farm, program: Sequence[str], ports: Sequence[int], *arguments: str) -> Run:
    """Version detection of these TCP ports of the farm."""
    listed = ",".join(compress(sorted(ports)))
    words = ("-n", "-Pn", "-sV", "--version-intensity", "7", "-p", f"T:{listed}", *arguments)
    return scan(made.scanner, program, *words, made.address, timeout=LONGEST_SCAN)


def rows_of(
    made: Farm, peer: Mapping[Place, Seen], ours: Mapping[Place, Seen], rules: Mapping[Place, Seen]
) -> list[Row]:
    """One row a port, in the order of the ports."""
    rows = []
    for number, (recipe, listener) in made.listeners().items():
        place = (made.address, "tcp", number)
        seen, by_peer = ours.get(place, NOTHING), peer.get(place, NOTHING)
        verdicts = judge(listener, seen), judge(listener, by_peer)
        rows.append(Row(number, recipe, listener, by_peer, seen, rules.get(place, NOTHING), *verdicts))
    return rows


def show(rows: Sequence[Row]) -> str:
    """The table, one line a port."""
    head = ["server", "port", "expected", "nmap", "leadline", "leadline with nmap's rules", "verdict"]

    def line(row: Row) -> list[str]:
        listener = row.listener
        name = f"{'ssl/' if listener.tls else ''}{listener.service or '?'}"
        wanted = " ".join(filter(None, (name, listener.product, listener.version)))
        same = "the same as nmap" if row.replayed == row.peer else str(row.replayed)
        cells = [row.recipe.name, str(row.number), wanted, str(row.peer), str(row.ours), same, str(row.verdict)]
        return [_printable(cell) for cell in cells]

    return table(head, [line(row) for row in rows])


def _printable(value: object) -> str:
    return str(value).encode("ascii", "backslashreplace").decode()[:60]


def totals(rows: Sequence[Row], servers: int, at_least: int) -> tuple[str, list[str]]:
    """The bounds in words, and those that are missed. ``at_least``: so many servers must be there."""
    known = [row for row in rows if row.verdict.expected]
    named = [row for row in known if row.verdict.named]
    versions = [row for row in known if row.verdict.told is not None]
    told = [row for row in versions if row.verdict.told]
    wrong = [row for row in rows if row.verdict.wrong]
    peer_named = [row for row in known if row.peer_verdict.named]
    peer_wrong = [row for row in rows if row.peer_verdict.wrong]
    lines = [
        f"servers: {servers} (at least {at_least}), on {len(rows)} ports",
        f"named with service and product: {len(named)} of {len(known)}, {share(named, known):.1%}"
        f" (at least {NAMED_AT_LEAST:.0%}); nmap: {len(peer_named)}",
        f"versions told: {len(told)} of {len(versions)}; missed: {_places(set(versions) - set(told))}",
        f"wrong products: {len(wrong)}: {_places(wrong)}; nmap: {len(peer_wrong)}",
    ]
    bounds = {
        "enough servers": servers >= at_least,
        "named": share(named, known) >= NAMED_AT_LEAST,
        "every version that is told": len(told) == len(versions),
        "no wrong product": not wrong,
    }
    return "\n".join(lines), [name for name, kept in bounds.items() if not kept]


def _places(rows: Sequence[Row] | set[Row]) -> str:
    chosen_rows = sorted(rows, key=lambda row: row.number)
    return ", ".join(f"{row.recipe.name} {row.number}" for row in chosen_rows) or "none"


def without_scripts(made: Farm, peer: Mapping[Place, Seen], rules: Mapping[Place, Seen]) -> dict[Place, Seen]:
    """What Nmap says of the ports that differ when its version scripts are left out: rules against rules."""
    numbers = {place[2] for place in (each.place for each in service_differences(peer, rules))}
    if not numbers:
        return {}
    with Setting(NMAP_DATA) as data:
        return services(scan_ports(made, PEER, sorted(numbers), "--datadir", str(data)).xml)


def differing(made: Farm, peer: dict[Place, Seen], rules: Mapping[Place, Seen]) -> tuple[str, bool]:
    """Every difference between Nmap and ours with Nmap's rules, each with its explanation; whether all have one."""
    scripted = service_differences(peer, rules)
    bare = without_scripts(made, peer, rules)
    open_ = service_differences({**peer, **bare}, rules)
    unexplained, lines = 0, [f"fields that differ from nmap's with nmap's rules: {len(scripted)}"]
    for difference in scripted:
        reason = _reason(made, difference, open_)
        unexplained += not reason
        bare_says = bare.get(difference.place, NOTHING)
        lines.append(f"  {difference}: {reason or f'UNEXPLAINED (without scripts nmap says {bare_says})'}")
    return "\n".join([*lines, f"unexplained: {unexplained}"]), not unexplained


def _reason(made: Farm, difference: Difference, still: Sequence[Difference]) -> str:
    bare = [each for each in still if (each.place, each.field) == (difference.place, difference.field)]
    if not bare:
        return "nmap's version scripts, which -sV runs too: without them it says the same"
    number = difference.place[2]
    recipe, listener = made.listeners()[number]
    return explanation(recipe.name, listener.number, difference.field)


def show_datagrams(made: Farm) -> tuple[str, bool]:
    """The UDP servers by our own rules, and whether no product is wrong."""
    seen = detect(made)
    head = ["server", "UDP port", "expected", "leadline", "verdict"]
    lines, wrong, named, known = [], 0, 0, 0
    for number, (recipe, listener) in made.listeners("udp").items():
        if number not in seen:
            continue  # a shifted one
        verdict = judge(listener, seen[number])
        wrong += verdict.wrong
        known += verdict.expected
        named += verdict.expected and verdict.named
        wanted = " ".join(filter(None, (listener.service, listener.product, listener.version)))
        lines.append([recipe.name, str(number), wanted, _printable(seen[number]), str(verdict)])
    return f"{table(head, lines)}\n\nnamed: {named} of {known}; wrong products: {wrong}\n", not wrong


def main(arguments: Sequence[str]) -> int:
    """Run the comparison and print it; 0 when every bound is kept."""
    parser = argparse.ArgumentParser(prog="scripts/peers", description=__doc__)
    parser.add_argument("--no-shift", action="store_true", help="only the servers' own ports")
    parser.add_argument("--no-peer", action="store_true", help="without nmap: only our own rules against the recipes")
    parser.add_argument("--replays", action="store_true", help="the recorded answers instead of real servers")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the XML of all scans there")
    parser.add_argument("recipe", nargs="*", help="all without any")
    options = parser.parse_args(arguments)
    end_kindly()
    if options.replays:
        return 0 if replay(NMAP_DATA) else 1
    recipes = chosen(options.recipe)
    if absent := missing_packages(recipes):
        print(f"peers: not installed (scripts/farm --install): {', '.join(absent)}", file=sys.stderr)
    with farm(recipes, shift=not options.no_shift, strict=False) as made:
        for name, problem in made.failed.items():
            print(f"FAILED {name}: {problem}\n", file=sys.stderr)
        return compare(made, peer=not options.no_peer, keep=options.keep, whole=not options.recipe)


def compare(made: Farm, *, peer: bool, keep: Path | None, whole: bool) -> int:
    """Three scans, the table, the bounds. ``whole``: all recipes are there, so their number counts too."""
    missed = [f"{name} did not start" for name in made.failed]
    if made.listeners():
        missed += compare_streams(made, peer=peer, keep=keep, whole=whole)
    if any(listener.protocol == "udp" for recipe in made.running for listener in recipe.listeners):
        text, right = show_datagrams(made)
        print(f"\n{text}")
        missed += [] if right else ["no wrong product over UDP"]
    print(f"MISSED: {'; '.join(missed)}" if missed else "all bounds are kept")
    return 1 if missed else 0


def compare_streams(made: Farm, *, peer: bool, keep: Path | None, whole: bool) -> list[str]:
    """The same for the TCP ports; gives the bounds that are missed."""
    ports = list(made.listeners())
    runs = {"leadline": scan_ports(made, LEADLINE, ports)}
    if peer:
        runs["nmap"] = scan_ports(made, PEER, ports)
        runs["leadline with nmap's rules"] = scan_ports(made, LEADLINE, ports, "--datadir", str(NMAP_DATA))
    for name, run in runs.items():
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name.replace(' ', '-')}.xml").write_bytes(run.xml)
    seen = {name: services(run.xml) for name, run in runs.items()}
    theirs, rules = seen.get("nmap", {}), seen.get("leadline with nmap's rules", {})
    rows = rows_of(made, theirs, seen["leadline"], rules)
    print(show(rows), end="\n\n")
    text, missed = totals(rows, len(made.running), SERVERS_AT_LEAST if whole else 1)
    print(text)
    if peer:
        text, explained = differing(made, theirs, rules)
        print(text)
        missed += [] if explained else ["every difference explained"]
    print("\n".join(f"{name}: {run.seconds:.1f} s" for name, run in runs.items()))
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
