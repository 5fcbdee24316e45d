"""All recipes, by theme: ``text``, ``web``, ``data`` and ``odd`` each give their ``RECIPES``."""

from __future__ import annotations

import importlib
import importlib.util

from tests.servers.recipe import Recipe

THEMES = ("text", "web", "data", "odd")
# What every run of the tests starts for real; scripts/test installs their packages.
IN_TESTS = (
    "openssh",
    "vsftpd",
    "dnsmasq",
    "rsync",
    "nginx",
    "lighttpd",
    "redis",
    "memcached",
    "mosquitto",
    "slapd",
    "socat-echo",
)


def all_recipes() -> tuple[Recipe, ...]:
    """The recipes of all themes that exist. Two of one name, or on one port, raise ``ValueError``."""
    found: dict[str, Recipe] = {}
    owners: dict[tuple[str, int], str] = {}
    for theme in THEMES:
        if importlib.util.find_spec(f"{__name__}.{theme}") is None:
            continue
        for recipe in importlib.import_module(f"{__name__}.{theme}").RECIPES:
            if recipe.name in found:
                raise ValueError(f"two recipes are called {recipe.name}")
            found[recipe.name] = recipe
            for listener in recipe.listeners:
                place = (listener.protocol, listener.number)
                if place in owners:
                    raise ValueError(f"{recipe.name} and {owners[place]} both want {place[1]}/{place[0]}")
                owners[place] = recipe.name
    return tuple(found.values())


def chosen(names: tuple[str, ...] | list[str]) -> tuple[Recipe, ...]:
    """The recipes of these names, all without any. An unknown name raises ``ValueError``."""
    recipes = all_recipes()
    unknown = set(names) - {recipe.name for recipe in recipes}
    if unknown:
        raise ValueError(f"no such recipe: {', '.join(sorted(unknown))}")
    return tuple(recipe for recipe in recipes if not names or recipe.name in names)
