"""A set of ports: asked by protocol, counted over all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from tests.support.frozen import check_frozen, loads

NUMBERS = st.sets(st.integers(0, 65535), max_size=20).map(lambda numbers: tuple(sorted(numbers)))


@given(st.dictionaries(st.sampled_from(Protocol), NUMBERS))
def test_it_gives_what_was_put_in(ports: dict[Protocol, tuple[int, ...]]) -> None:
    asked = PortSet(ports)
    assert {protocol: asked.of(protocol) for protocol in ports} == ports
    assert len(asked) == sum(len(asked.of(protocol)) for protocol in Protocol)


def test_what_is_not_asked_for_is_empty() -> None:
    asked = PortSet({Protocol.TCP: (22, 80)})
    assert asked.of(Protocol.UDP) == ()
    assert len(asked) == 2
    assert not PortSet()


def test_it_is_frozen() -> None:
    check_frozen(PortSet({Protocol.TCP: (1,)}))


def test_fresh_sets_are_their_own() -> None:
    assert PortSet().ports is not PortSet().ports


def test_it_needs_no_numpy() -> None:
    assert not loads("leadline.model.port_set", "numpy")


def test_without_others() -> None:
    asked = PortSet({Protocol.TCP: (22, 80), Protocol.UDP: (53,)})
    assert asked.without(PortSet({Protocol.TCP: (80, 81)})) == PortSet({Protocol.TCP: (22,), Protocol.UDP: (53,)})
    assert asked.without(PortSet()) is asked
