"""Which ports are told one by one: by number, by state, by what version detection wants."""

from __future__ import annotations

from leadline.model.plan import OutputPlan, Plan, ServicePlan
from leadline.model.port import MAYBE_OPEN, Port, PortState, PortSummary, Protocol, Reason
from leadline.ports.listing import Listing, listed, listing_of
from leadline.ports.result import OPEN_ONLY

CLOSED = (PortState.CLOSED, Reason.RESET)
OPEN = (PortState.OPEN, Reason.SYN_ACK)


def name(number: int, protocol: Protocol) -> str:
    return f"{protocol.label}{number}"


def closed(number: int) -> Port:
    return Port(number, Protocol.TCP, *CLOSED)


def test_as_many_as_the_reports_list() -> None:
    def most(**output: int) -> int:
        return listing_of(Plan(output=OutputPlan(**output)), name).materialised

    assert [most(), most(verbosity=2), most(debugging=1), most(debugging=3)] == [25, 75, 525, 65_536]


def test_version_detection_wants_all_that_may_be_open() -> None:
    assert listing_of(Plan(), name).apart == OPEN_ONLY
    assert listing_of(Plan(services=ServicePlan(enabled=True)), name).apart == MAYBE_OPEN


def test_few_are_told_one_by_one_many_as_ranges() -> None:
    ports, summaries = listed({CLOSED: (5, 1, 2)}, closed, Listing(name, 3, OPEN_ONLY))
    assert ([port.number for port in ports], summaries) == ([1, 2, 5], ())
    ports, summaries = listed({CLOSED: {5, 1, 2}}, closed, Listing(name, 2, OPEN_ONLY))
    assert (ports, summaries) == ((), (PortSummary(Protocol.TCP, *CLOSED, ((1, 2), (5, 5)), 3),))


def test_what_stands_apart_is_never_summed_up() -> None:
    made = {number: Port(number, Protocol.TCP, *(OPEN if number < 9 else CLOSED)) for number in range(12)}
    ports, summaries = listed({OPEN: range(9), CLOSED: (10, 9, 11)}, made.__getitem__, Listing(name, 3, OPEN_ONLY))
    assert ([port.number for port in ports], summaries) == (list(range(12)), ())
