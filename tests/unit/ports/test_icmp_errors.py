"""Tables of ICMP errors: what is in them, who sent the error, and what decides nothing."""

from __future__ import annotations

import numpy as np

from leadline.model.port import PortState, Reason
from leadline.ports.icmp_errors import PROTOCOL_ERRORS, TCP_ERRORS, UDP_ERRORS, ErrorMeaning, ErrorTable, error_table


def found(table: ErrorTable, family: int, kind: int, code: int, own: bool = False) -> tuple[int, int]:
    columns = (np.array([value], dtype=np.uint8) for value in (family, kind, code))
    states, reasons = table.find(*columns, np.array([own]))
    return int(states[0]), int(reasons[0])


def test_who_sent_it_matters_for_udp_only() -> None:
    for family, kind, code in ((4, 3, 3), (6, 1, 4)):
        assert found(UDP_ERRORS, family, kind, code, own=True) == (PortState.CLOSED, Reason.PORT_UNREACH)
        assert found(UDP_ERRORS, family, kind, code) == (PortState.FILTERED, Reason.PORT_UNREACH)
        assert found(TCP_ERRORS, family, kind, code, own=True) == (PortState.FILTERED, Reason.PORT_UNREACH)


def test_a_complaint_about_the_header_opens_no_port() -> None:
    for table in (TCP_ERRORS, UDP_ERRORS):
        for own in (False, True):
            assert found(table, 6, 4, 0, own) == (PortState.FILTERED, Reason.PARAM_PROBLEM)
    assert found(PROTOCOL_ERRORS, 6, 4, 0) == (PortState.FILTERED, Reason.PARAM_PROBLEM)


def test_time_exceeded_with_any_code() -> None:
    for code in (0, 1, 255):
        assert found(TCP_ERRORS, 4, 11, code) == (PortState.FILTERED, Reason.TIME_EXCEEDED)
        assert found(TCP_ERRORS, 6, 3, code) == (PortState.FILTERED, Reason.TIME_EXCEEDED)


def test_families_do_not_mix() -> None:
    table = error_table({(6, 1, 0): ErrorMeaning(Reason.NO_ROUTE, from_target=PortState.OPEN)})
    assert found(table, 6, 1, 0) == (PortState.FILTERED, Reason.NO_ROUTE)
    assert found(table, 6, 1, 0, own=True) == (PortState.OPEN, Reason.NO_ROUTE)
    assert found(table, 4, 1, 0) == (PortState.UNKNOWN, 0)
    assert found(table, 0, 0, 0) == (PortState.UNKNOWN, 0)


def test_what_the_host_itself_says_of_protocols() -> None:
    for error, own, reason in (
        ((4, 3, 2), PortState.CLOSED, Reason.PROTO_UNREACH),
        ((4, 3, 3), PortState.OPEN, Reason.PORT_UNREACH),
        ((6, 1, 4), PortState.OPEN, Reason.PORT_UNREACH),
        ((6, 4, 0), PortState.OPEN, Reason.PARAM_PROBLEM),
        ((6, 4, 1), PortState.CLOSED, Reason.PARAM_PROBLEM),
        ((4, 3, 13), PortState.FILTERED, Reason.ADMIN_PROHIBITED),
    ):
        assert found(PROTOCOL_ERRORS, *error, own=True) == (own, reason)
        assert found(PROTOCOL_ERRORS, *error) == (PortState.FILTERED, reason)
