"""Servers that behave oddly, and services behind something else: TLS in front of plain servers, wrappers, echoes."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe


def _echo(place: Place) -> None:
    place.run("socat", "TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork", "EXEC:cat")


RECIPES: tuple[Recipe, ...] = (Recipe("socat-echo", ("socat",), (Listener(7, service="echo"),), _echo, light=True),)
