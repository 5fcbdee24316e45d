from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.engine.codec import ProbeCodec
from leadline.engine.control import Control
from leadline.engine.fixed_port import FixedPortCodec
from leadline.engine.identity import SLOTS
from leadline.engine.outfit import Outfit
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.rate import RateLimiter
from leadline.engine.session import PORT_BLOCKS, Session
from leadline.engine.shaper import ShapedLink
from leadline.link.base import CaptureFilter, Interface, Route
from leadline.model.plan import DiscoveryPlan, PacketShape, PingKind, PingProbe, Plan, Proxy, TimingPlan
from tests.support.codecs import build, match
from tests.support.groups import group_of, interface_of, packets, tcp_reply
from tests.support.machines import KEY, T0, FakeClock, FakeLink


class Opening:
    """A network that only opens links."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.opened: list[tuple[Interface, CaptureFilter, FakeLink]] = []

    def open_link(self, interface: Interface, capture: CaptureFilter) -> FakeLink:
        link = FakeLink(self.clock, lambda sent: None, interface=interface)
        self.opened.append((interface, capture, link))
        return link


@pytest.fixture
def network() -> Opening:
    return Opening()


def session_of(network: Opening, plan: Plan | None = None) -> Session:
    return Session(
        plan=plan or Plan(), network=network, control=Control(), raw=True, key=KEY, first_port=40_000,  # type: ignore[arg-type]
        generator=np.random.default_rng(1), rate=RateLimiter(None, None, T0), epoch=T0 - 5,
    )  # fmt: skip


def test_time_counts_from_the_scans_begin(network: Opening) -> None:
    session = session_of(network)
    assert session.at() == 5
    network.clock.time += 2
    assert session.at() == 7
    assert session.clock is network.clock
    event = session.meter("Task").event(network.clock.time, 0.5, 1, 1)
    assert (event.task, event.at) == ("Task", 7)


def test_a_link_is_opened_once_for_interface_family_and_source(network: Opening) -> None:
    session = session_of(network)
    route = Route(interface_of(), ip_address("10.9.0.1"))
    first = session.link(route)
    assert session.link(replace(route, gateway=ip_address("10.9.0.254"))) is first
    assert session.link(replace(route, source=ip_address("10.9.0.2"))) is not first
    assert session.link(Route(interface_of(6), ip_address("fd09::1"))) is not first
    assert session.link(Route(interface_of(name="eth1"), ip_address("10.9.0.1"))) is not first
    assert len(network.opened) == 4
    capture = network.opened[0][1]
    assert (capture.family, capture.source) == (4, ip_address("10.9.0.1"))
    assert (capture.first_port, capture.last_port) == (40_000, 40_000 + PORT_BLOCKS * SLOTS - 1)
    assert capture.neighbors
    assert capture.protocols == ()
    assert network.opened[2][1].family == 6


@pytest.mark.parametrize("kind", ["loopback", "point"])
def test_neighbours_are_asked_for_on_ethernet_alone(network: Opening, kind: str) -> None:
    session_of(network).link(Route(interface_of(kind=kind), ip_address("10.9.0.1")))
    assert not network.opened[0][1].neighbors


def test_protocol_pings_widen_the_filter(network: Opening) -> None:
    v4 = (PingProbe(PingKind.IP_PROTOCOL, 2), PingProbe(PingKind.TCP_SYN, 80))
    v6 = (PingProbe(PingKind.IP_PROTOCOL, 2), PingProbe(PingKind.IP_PROTOCOL, 4))
    plan = Plan(discovery=DiscoveryPlan(probes_v4=v4, probes_v6=v6))
    session_of(network, plan).link(Route(interface_of(), ip_address("10.9.0.1")))
    assert sorted(network.opened[0][1].protocols) == [2, 4]


def test_closing_adds_up_what_all_links_counted(network: Opening) -> None:
    session = session_of(network)
    for source in ("10.9.0.1", "10.9.0.2"):
        session.link(Route(interface_of(), ip_address(source)))
    names = ("sent", "sent_bytes", "received", "received_bytes", "dropped", "send_failures")
    for _, _, link in network.opened:
        for value, name in enumerate(names, 1):
            setattr(link.statistics, name, value)
    total = session.close()
    # Two links of one frame sent and three received each, less their Ethernet headers.
    assert [getattr(total, name) for name in names] == [2, 4 - 2 * 14, 6, 8 - 6 * 14, 10, 12]
    assert all(link.closed for _, _, link in network.opened)
    assert session.close() is total
    assert total.sent == 2


def test_a_link_is_released_when_nobody_reads_from_it(network: Opening) -> None:
    session = session_of(network)
    route = Route(interface_of(), ip_address("10.9.0.1"))
    link = session.link(route)
    inbox = link.join()
    session.release(link)
    assert session.link(route) is link
    link.statistics.sent = 3
    inbox.close()
    session.release(link)
    assert network.opened[0][2].closed
    again = session.link(route)
    assert again is not link
    again.statistics.sent = 4
    assert session.close().sent == 3 + 4


def test_connections_through_proxies_are_given_more_time(network: Opening) -> None:
    plan = Plan()
    assert session_of(network, plan).connection_timing is plan.timing
    proxied = replace(plan, proxies=(Proxy("socks5", "192.0.2.1", 1080),))
    timing = session_of(network, proxied).connection_timing
    assert (timing.initial_rtt_timeout, timing.min_rtt_timeout) == (4.0, 1.0)
    assert replace(timing, initial_rtt_timeout=1.0, min_rtt_timeout=0.1) == plan.timing
    for limits, initial, least in (
        (TimingPlan(max_rtt_timeout=0.5), 0.5, 0.5),
        (TimingPlan(initial_rtt_timeout=7.0, min_rtt_timeout=2.0), 7.0, 2.0),
    ):
        timing = session_of(network, replace(proxied, timing=limits)).connection_timing
        assert (timing.initial_rtt_timeout, timing.min_rtt_timeout) == (initial, least)


def test_frames_are_shaped_between_machine_and_link(network: Opening) -> None:
    session = session_of(network)
    route = Route(interface_of(), ip_address("10.9.0.1"))
    assert isinstance(session.link(route).inner, FakeLink)
    session.outfit = Outfit(PacketShape(source_port=53, ttl=3), mac=bytes(6))
    other = session.link(replace(route, source=ip_address("10.9.0.2")))
    assert isinstance(other.inner, ShapedLink)
    capture = network.opened[-1][1]
    assert (capture.first_port, capture.last_port, capture.promiscuous) == (53, 53, True)
    assert not network.opened[0][1].promiscuous
    assert isinstance(session.codec(group_of(), 40_000), FixedPortCodec)


def test_codecs_know_of_data(network: Opening) -> None:
    session = session_of(network)
    plain = session.codec(group_of(), 40_000)
    assert type(plain) is ProbeCodec
    session.outfit = Outfit(data=b"12345")
    for codec, most in ((plain, 1), (session.codec(group_of(), 40_000), 6)):
        sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
        # A SYN counts as one; who refuses acknowledges the data behind it as well.
        believed = [len(match(codec, [tcp_reply(sent, "RA", ack=sent["TCP"].seq + up)])) for up in range(1, 8)]
        assert believed == [1] * most + [0] * (7 - most)
