"""The UDP servers of the farm: asked by our own probes and held against our rules, the port's own probes first.

Version detection of UDP ports needs a UDP scan before it (`tests/peers/test_udp_services.py` has both); here
the probes and the rules are shown without one.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from leadline.data.service_rules import ServiceProbe
from leadline.model.port import Protocol
from leadline.services.matcher import Match, Matcher, make_matcher
from tests.servers.farm import Farm
from tests.servers.recipe import Listener, Recipe
from tests.servers.record import Question, ask
from tests.support.inside import inside
from tests.support.services import Seen, seen_of

INTENSITY = 7
WAIT = 1.5
AT_ONCE = 8


def detect(made: Farm, rules: str = "") -> dict[int, Seen]:
    """What our probes and ``rules`` (empty: our own) say of every UDP listener, by its own port."""
    matcher = make_matcher(rules)
    own = [(recipe, listener) for recipe in made.running for listener in recipe.listeners if listener.protocol == "udp"]

    def one(place: tuple[Recipe, Listener]) -> Seen:
        with inside(made.scanner.name):
            return _converse(made.address, *place, matcher)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {listener.number: seen for (_, listener), seen in zip(own, pool.map(one, own), strict=True)}


def _probes(matcher: Matcher, port: int) -> Iterator[ServiceProbe]:
    """Those that list the port, then the others up to the usual rarity; each in file order."""
    probes = [probe for probe in matcher.probes.probes if probe.protocol is Protocol.UDP]
    yield from (probe for probe in probes if probe.lists(port))
    yield from (probe for probe in probes if not probe.lists(port) and probe.rarity <= INTENSITY)


def _converse(address: str, recipe: Recipe, listener: Listener, matcher: Matcher) -> Seen:
    """Like a dialogue's patient order: a hard match ends it, a soft match narrows what is asked."""
    soft: Match | None = None
    for probe in _probes(matcher, listener.number):
        if soft is not None and soft.service not in probe.services:
            continue
        answer = ask(address, Question(recipe, listener, probe, "", WAIT))
        found = matcher.match(probe, answer) if answer else None
        if found is not None and not found.soft:
            return _seen(found)
        soft = soft or found
    return _seen(soft) if soft else Seen()


def _seen(match: Match) -> Seen:
    return replace(seen_of(match), cpe=tuple(sorted(match.cpe)))
