"""The values of the contract between the engine and its networks."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from ipaddress import ip_address

import pytest

from leadline.link.base import CaptureFilter, Interface, LinkStatistics, Route

ETHERNET = Interface("eth0", 2, "ethernet", 14, 1500, bytes(6), True)
SOURCE = ip_address("10.0.0.1")


@pytest.mark.parametrize(
    ("route", "on_link"),
    [
        (Route(ETHERNET, SOURCE), True),
        (Route(ETHERNET, SOURCE, ip_address("10.0.0.254")), False),
        (Route(ETHERNET, SOURCE, local=True), False),
        (Route(replace(ETHERNET, kind="point"), SOURCE), False),
        (Route(replace(ETHERNET, kind="loopback"), SOURCE), False),
    ],
)
def test_only_a_gatewayless_ethernet_route_is_on_link(route: Route, on_link: bool) -> None:
    assert route.on_link is on_link


def test_routes_and_filters_are_values() -> None:
    assert Route(ETHERNET, SOURCE) == Route(ETHERNET, SOURCE)
    assert len({Route(ETHERNET, SOURCE), Route(ETHERNET, SOURCE)}) == 1
    capture = CaptureFilter(4, SOURCE, 1, 2)
    assert (capture.neighbors, capture.protocols) == (False, ())
    with pytest.raises(FrozenInstanceError):
        capture.first_port = 3  # type: ignore[misc]


def test_statistics_start_at_nothing() -> None:
    statistics = LinkStatistics()
    assert (statistics.sent, statistics.received, statistics.dropped, statistics.send_failures) == (0, 0, 0, 0)
