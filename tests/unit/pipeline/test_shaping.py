"""What is drawn and looked up before the first packet leaves."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

from leadline.engine.control import Control
from leadline.engine.session import Session
from leadline.errors import UsageError
from leadline.model.event import Event, Notice
from leadline.model.plan import PacketShape, Plan
from leadline.model.port import PortState
from leadline.pipeline.opening import make_session
from leadline.pipeline.shaping import dress
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.network import SimNetwork
from leadline.targets.public import special_addresses
from leadline.wire.shaping import OWN
from tests.support.pipelines import collect, done, world_of


def dressed(shape: PacketShape, **options: Any) -> tuple[Session, list[Event]]:
    network = SimNetwork(world_of())
    plan: Plan = replace(build_plan(Options(targets=("192.0.2.5",), seed=1, **options), True), shape=shape)
    session = make_session(plan, network, Control())
    return session, list(dress(session, network.resolver()))


def test_decoys_by_address_by_name_and_by_chance() -> None:
    session, events = dressed(PacketShape(decoys=("192.0.2.9", "host-6.example", "ME", "RND:3")))
    assert events == []
    sources = session.outfit.sources[4]
    known = [int(ip_address("192.0.2.9")), int(ip_address("192.0.2.6")), OWN]
    assert list(sources[:3]) == known
    random = np.array(sources[3:], dtype=np.uint64)
    assert len(set(random.tolist())) == 3
    assert not special_addresses().contains(4, np.zeros(3, np.uint64), random).any()


def test_a_decoy_that_is_unknown() -> None:
    with pytest.raises(UsageError, match=r"the decoy nobody\.example has no address"):
        dressed(PacketShape(decoys=("ME", "nobody.example")))


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="there is no interface 'eth7'"):
        dressed(PacketShape(interface="eth7"))
    assert dressed(PacketShape(interface="eth0"))[1] == []


def test_a_drawn_mac_is_told() -> None:
    session, (notice,) = dressed(PacketShape(mac=bytes.fromhex("00000c")))
    assert isinstance(notice, Notice)
    assert session.outfit.mac is not None
    assert (
        notice.text
        == f"frames are sent from the MAC address {session.outfit.mac.hex(':').upper()} (Cisco Systems, Inc)"
    )


def test_connections_that_cannot_be_shaped_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="leave -S, -e, --ttl and --ip-options out"):
        dressed(PacketShape(ttl=9), techniques=("connect",))
    assert dressed(PacketShape(ttl=9), techniques=("syn",))[1] == []


@pytest.mark.parametrize(
    "shape",
    [
        {"ttl": 9},
        {"source_port": 53},
        {"data_string": "hello"},
        {"decoys": ("192.0.2.77", "ME", "RND")},
        {"spoof_mac": "0"},
        {"interface": "eth0"},
        {"fragments": ("f",), "data_length": 20},
        {"ip_options": "R", "mtu": 16},
    ],
)
def test_whole_scans_in_every_shape(shape: dict[str, Any]) -> None:
    """Hosts answer as ever: a shape that they take no offence at changes nothing of what is found."""
    events, error = collect(SimNetwork(world_of()), "192.0.2.5-6", ports="22,23,80", **shape)
    assert error is None
    for host in done(events).values():
        assert {port.number: port.state for port in host.ports} == {
            22: PortState.OPEN, 23: PortState.CLOSED, 80: PortState.OPEN,
        }  # fmt: skip


def test_nobody_answers_a_wrong_checksum() -> None:
    events, error = collect(SimNetwork(world_of()), "192.0.2.5", ports="22", badsum=True)
    assert error is None
    (host,) = done(events).values()
    assert [port.state for port in host.ports] == [PortState.FILTERED]


@pytest.mark.parametrize("options", [{"send_layer": "ip"}, {"techniques": ("connect",), "source_address": "192.0.2.1"}])
def test_what_the_simulated_network_cannot_do_is_said(options: dict[str, Any]) -> None:
    events, error = collect(SimNetwork(world_of()), "192.0.2.5", ports="22", **options)
    assert isinstance(error, UsageError)
    assert "leave" in str(error)
    assert done(events) == {} or not any(host.ports for host in done(events).values())
