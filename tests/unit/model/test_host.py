"""What a host says of itself when little is known of it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from leadline.model import host as module
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.port import Reason
from tests.support.frozen import check_frozen, values_of
from tests.support.report_events import web_host

BARE = Host(ip_address("10.0.0.1"), HostStatus.DOWN, Reason.NO_RESPONSE)


def test_the_words_are_those_of_nmaps_xml() -> None:
    assert [status.label for status in HostStatus] == ["unknown", "up", "down"]


def test_numbers_are_those_that_columns_hold() -> None:
    assert [int(status) for status in (HostStatus.UNKNOWN, HostStatus.UP, HostStatus.DOWN)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("hostnames", "name"),
    [
        ((), ""),
        ((Hostname("typed.example", "user"),), "typed.example"),
        ((Hostname("typed.example", "user"), Hostname("found.example", "PTR")), "typed.example"),
        ((Hostname("found.example", "PTR"),), "found.example"),
    ],
)
def test_the_name_is_the_first_one(hostnames: tuple[Hostname, ...], name: str) -> None:
    assert Host(ip_address("10.0.0.1"), HostStatus.UP, Reason.RESET, hostnames=hostnames).name == name


def test_never_measured_is_not_zero() -> None:
    assert (BARE.latency, BARE.rttvar, BARE.timeout) == (None, None, None)
    assert (BARE.reason_ttl, BARE.reason_address, BARE.mac, BARE.vendor) == (0, None, "", "")
    assert (BARE.evidence, BARE.ports, BARE.summaries, BARE.other_addresses) == (None, (), (), ())


def test_a_host_is_complete_unless_it_says_otherwise() -> None:
    assert BARE.interrupted == ""
    assert not BARE.timed_out


@pytest.mark.parametrize("value", [web_host(), Hostname("a", "PTR")], ids=["host", "name"])
def test_hosts_are_frozen(value: object) -> None:
    assert type(value) in values_of(module)
    check_frozen(value)


def test_hosts_can_be_kept_in_sets() -> None:
    assert len({web_host(), web_host(), BARE}) == 2
