from __future__ import annotations

from leadline.model.port import PortState, Protocol, Reason
from leadline.ports.idle_result import idle_port, idle_ports
from leadline.ports.idle_search import Standing
from leadline.ports.listing import Listing


def names(number: int, protocol: Protocol) -> str:
    return "ssh" if number == 22 else ""


def standing(is_open: bool | None, *, tests: int = 2, hits: int = 0, distance: int = 0, together: int = 1) -> Standing:
    return Standing(tests=tests, hits=hits, distance=distance, asked_with=together, open=is_open, at=3.5)


def test_an_open_port_and_its_proof() -> None:
    port = idle_port(22, standing(True, hits=2, distance=1), 1, names)
    assert (port.state, port.reason) == (PortState.OPEN, Reason.IPID_CHANGE)
    assert port.service is not None
    assert port.service.name == "ssh"
    assert port.evidence is not None
    assert (port.evidence.tries, port.evidence.answered_try, port.evidence.reply) == (2, 2, "ip-id +2")
    assert port.evidence.at == 3.5
    assert "1 besides the answer to us (ip-id +2), counted in 2 of 2 tests -> open" in port.evidence.rule


def test_a_silent_port_and_its_proof() -> None:
    port = idle_port(7, standing(False, tests=1, together=30), 2, names)
    assert (port.state, port.reason) == (PortState.CLOSED_FILTERED, Reason.NO_IPID_CHANGE)
    assert port.service is None
    assert port.evidence is not None
    assert port.evidence.answered_try == 0
    # A zombie that counts by two goes on by two for its answer to us.
    assert "(ip-id +2, asked together with 29 other ports)" in port.evidence.rule


def test_many_alike_become_ranges() -> None:
    standings = {number: standing(False) for number in (1, 2, 3, 7)}
    standings |= {22: standing(True, hits=2, distance=1), 9: standing(None)}
    ports, summaries = idle_ports(standings, 1, Listing(names, 3, frozenset({PortState.OPEN})))
    assert [port.number for port in ports] == [22]
    (summary,) = summaries
    assert (summary.state, summary.reason) == (PortState.CLOSED_FILTERED, Reason.NO_IPID_CHANGE)
    assert (summary.ranges, summary.count) == (((1, 3), (7, 7)), 4)
    ports, summaries = idle_ports(standings, 1, Listing(names, 4, frozenset({PortState.OPEN})))
    assert [port.number for port in ports] == [1, 2, 3, 7, 22]
    assert summaries == ()
