from __future__ import annotations

import numpy as np

from leadline.model.event import PortFound, TaskStarted
from leadline.model.port import Port, PortState, Protocol, Reason
from leadline.ports.bounds import Bound, Bounds
from tests.support.groups import group_of


def found(bounds: Bounds, row: int, number: int, protocol: Protocol = Protocol.TCP) -> None:
    port = Port(number, protocol, PortState.OPEN, Reason.SYN_ACK)
    bounds.see(PortFound(1.0, group_of(hosts=3).address(row), port))


def test_a_host_is_given_up_after_so_many_open_ports() -> None:
    bounds = Bounds(group_of(hosts=3), None, 3)
    bounds.see(TaskStarted(0.0, "SYN Stealth Scan"))
    for number in (1, 2, 2, 2):
        found(bounds, 0, number)
        found(bounds, 2, number)
    assert bounds.given_up().tolist() == [], "the same port again is no further one"
    found(bounds, 2, 2, Protocol.UDP)
    found(bounds, 0, 3)
    assert bounds.given_up().tolist() == [0, 2]
    found(bounds, 0, 4)
    assert bounds.given_up().tolist() == [], "told once"


def test_without_a_number_nothing_is_counted() -> None:
    bounds = Bounds(group_of(hosts=3), 5.0, None)
    for number in range(1, 100):
        found(bounds, 0, number)
    assert bounds.given_up().tolist() == []
    assert bounds.clocks.limit == 5.0


def test_what_one_host_has_reached() -> None:
    bounds = Bounds(group_of(hosts=3), 5.0, 2)
    bounds.clocks.start(np.array([1]), 100.0)
    assert bounds.reached(1, 104.0) is None
    found(bounds, 1, 1)
    found(bounds, 1, 2)
    assert bounds.reached(1, 104.0) is Bound.OPEN_PORTS
    assert bounds.reached(1, 104.0) is None
    assert (bounds.reached(1, 106.0), bounds.reached(0, 106.0)) == (Bound.TIME, None)


def test_one_host_at_a_time() -> None:
    bounds = Bounds(group_of(hosts=3), 5.0, None)
    bounds.begin(2, 100.0)
    assert bounds.reached(2, 105.5) is Bound.TIME
    assert bounds.end(2, 106.0) == 6.0
    assert bounds.reached(2, 110.0) is None
    bounds.begin(2, 120.0)
    assert bounds.end(2, 121.0) == 7.0
