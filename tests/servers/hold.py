"""``scripts/farm``: list the recipes, install their packages, or hold the servers up for use by hand."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from tests.servers.farm import Farm, end_kindly, farm
from tests.servers.packages import install, missing_packages
from tests.servers.recipe import Recipe
from tests.servers.recipes import IN_TESTS, chosen


def listing(recipes: Sequence[Recipe]) -> str:
    """One line a recipe: name, ports, packages."""
    width = max((len(recipe.name) for recipe in recipes), default=0)
    lines = []
    for recipe in recipes:
        ports = " ".join(f"{each.number}/{each.protocol}{'+tls' if each.tls else ''}" for each in recipe.listeners)
        light = "light" if recipe.light else ""
        lines.append(f"{recipe.name:<{width}}  {light:<5}  {ports}  ({', '.join(recipe.packages)})")
    return "\n".join(lines)


def describe(made: Farm) -> str:
    """What a person needs who wants to look at the servers."""
    lines = []
    for protocol in ("tcp", "udp"):
        for number, (recipe, listener) in made.listeners(protocol).items():
            words = (listener.service, listener.product, "over TLS" if listener.tls else "")
            lines.append(f"{number}/{protocol:<4} {recipe.name:<24} {' '.join(filter(None, words))}")
    lines += [f"FAILED {name}: {problem}" for name, problem in made.failed.items()]
    place = f"{made.address} and {made.address_v6} of the network namespace {made.namespace.name}"
    lines += ["", f"The servers are {place};", f"their files are in {made.folder}. From a shell that sees them:"]
    return "\n".join([*lines, f"    ip netns exec {made.scanner.name} bash"])


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 when a package could not be installed or a server did not start."""
    parser = argparse.ArgumentParser(prog="scripts/farm", description=__doc__)
    parser.add_argument("--list", action="store_true", help="list the recipes and end")
    parser.add_argument("--install", action="store_true", help="install the recipes' Debian packages and end")
    parser.add_argument("--tests", action="store_true", help="those that every run of the tests starts")
    parser.add_argument("--shift", action="store_true", help="every port at + 20000 too")
    parser.add_argument("recipe", nargs="*", help="all without any")
    options = parser.parse_args(arguments)
    recipes = chosen([*options.recipe, *(IN_TESTS if options.tests else ())])
    if options.list:
        print(listing(recipes))
        return 0
    if options.install:
        absent = install(recipes)
        if absent:
            print(f"farm: could not be installed: {', '.join(absent)}", file=sys.stderr)
        return 1 if absent else 0
    absent = missing_packages(recipes)
    if absent:
        print(f"farm: not installed (scripts/farm --install): {', '.join(absent)}", file=sys.stderr)
    end_kindly()
    with farm(recipes, shift=options.shift, strict=False) as made:
        print(describe(made), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.read()
        return 1 if made.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
