from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from leadline.model.port import Protocol
from leadline.net.base import Endpoint, Received
from leadline.sim.datagrams import Datagrams
from leadline.sim.faults import LinkFaults
from leadline.sim.firewall import ADMIN_PROHIBITED, HOST_UNREACHABLE, NET_UNREACHABLE, Action, IcmpError, Rule
from leadline.sim.network import SimNetwork
from leadline.sim.speech import Echoing, Reply
from leadline.sim.world import Behaviour, PortTable, SimService
from tests.support.sim_dialogue import ROUND, V4, V6, Line, Talk, world_of

DNS = SimService(53, 17, answers=(Echoing(say=b"\x81\x80answer"), Reply(b"", b"too short")), think=0.1)
OPENED: Line = ("opened",)


def test_an_answer_to_each_datagram() -> None:
    talk = Talk(DNS)
    talk.open(53, udp=True)
    assert talk.say(53, b"\x12\x34question", b"?") == [
        OPENED,
        ("received", b"\x12\x34\x81\x80answer"),
        ("received", b"too short"),
    ]
    assert talk.times(53)[1] == pytest.approx(ROUND + 0.1, abs=0.002)


def test_a_datagram_has_an_end() -> None:
    talk = Talk(SimService(1, 17, banner=b"x" * 100_000))
    talk.open(1, udp=True)
    assert talk.say(1, b"?")[1:] == [("received", b"x" * 65_507)]


def test_who_answers_what() -> None:
    services = (
        SimService(1, 17),
        SimService(2, 17, banner=b"always"),
        SimService(3, 17, answers=(Reply(b"A", b"1"),)),
        SimService(4, 17, default=Reply(say=b"what?")),
    )
    talk = Talk(*services, udp=PortTable(open=frozenset({1, 2, 3, 4, 5})))
    for port in (1, 2, 3, 4, 5):
        talk.open(port, udp=True)
        talk.dialer.send(port, b"B")
    talk.run()
    said = [talk.heard(port)[1:] for port in (1, 2, 3, 4, 5)]
    assert said == [[], [("received", b"always")], [], [("received", b"what?")], [("received", b"leadline")]]


def test_closed_filtered_and_rejected() -> None:
    talk = Talk(udp=PortTable(filtered=frozenset({2}), rejected=frozenset({3}), error=ADMIN_PROHIBITED))
    for port in (1, 2, 3):
        talk.open(port, udp=True)
        talk.dialer.send(port, b"x")
    talk.run(5.0)
    assert talk.heard(1) == [OPENED, ("ended", "stream", errno.ECONNREFUSED)]
    assert talk.heard(2) == [OPENED]
    assert talk.heard(3) == [OPENED, ("ended", "stream", errno.EHOSTUNREACH)]


@pytest.mark.parametrize("error", [HOST_UNREACHABLE, NET_UNREACHABLE, IcmpError((11, 0), (3, 0))])
def test_errors_that_may_pass_are_not_told(error: IcmpError) -> None:
    talk = Talk(udp=PortTable(Behaviour.REJECTED, error=error))
    talk.open(1, udp=True)
    assert talk.say(1, b"x") == [OPENED]


def test_closed_ports_refuse_only_what_was_sent() -> None:
    talk = Talk()
    talk.open(9, udp=True)
    talk.run(5.0)
    assert talk.heard(9) == [OPENED]


def test_a_firewall_judges_datagrams() -> None:
    world = world_of([DNS])
    rule = Rule(Action.DROP, protocol=17, ports=((53, 53),))
    subnet = world.subnets[-1]
    guarded = replace(subnet, routers=(replace(subnet.routers[0], firewall=(rule,)),))
    dialer = SimNetwork(replace(world, subnets=(*world.subnets[:-1], guarded))).dialer(None)
    dialer.open(1, Endpoint(V4, 53, Protocol.UDP))
    dialer.send(1, b"\x12\x34")
    assert len(dialer.poll(1.0)) == 1
    assert dialer.poll(5.0) == []


def test_datagrams_get_lost_and_doubled() -> None:
    talk = Talk(DNS, seed=2, faults=LinkFaults(latency=0.01, loss=0.3, duplication=0.2))
    for token in range(200):
        talk.open(token, 53, udp=True)
        talk.dialer.send(token, b"\x00\x01")
    talk.run(5.0)
    answers = [sum(isinstance(e, Received) for e in talk.events if e.token == token) for token in range(200)]
    assert 60 < answers.count(0) < 140
    assert answers.count(2) > 5


def test_both_families_in_one_go() -> None:
    dialer = SimNetwork(world_of([DNS])).dialer(None)
    for token, address in enumerate((V4, V6)):
        dialer.open(token, Endpoint(address, 53, Protocol.UDP))
        dialer.send(token, b"\x12\x34")
    dialer.poll(0.001)
    told = dialer.poll(1.0) + dialer.poll(1.0)
    assert {event.token for event in told if isinstance(event, Received)} == {0, 1}


def test_no_route_and_no_neighbor() -> None:
    world = world_of([DNS])
    lonely = replace(world, interfaces=(replace(world.interfaces[0], gateways=()),))
    talk = Talk(DNS)
    talk.dialer = SimNetwork(lonely).dialer(None)
    talk.network = talk.dialer._network
    talk.open(1, 53, udp=True)
    assert talk.say(1, b"x") == [OPENED, ("ended", "connect", errno.ENETUNREACH)]
    silent = SimNetwork(world_of([DNS], neighbor=False)).dialer(None)
    silent.open(1, Endpoint(V6, 53, Protocol.UDP))
    silent.send(1, b"x")
    assert len(silent.poll(1.0)) == 1
    assert silent.poll(10.0) == []


def test_a_closed_socket_tells_nothing() -> None:
    talk = Talk(DNS)
    for port in (53, 54):
        talk.open(port, udp=True)
        talk.dialer.send(port, b"\x12\x34")
    talk.run(0.001)
    for port in (53, 54):
        talk.dialer.close(port)
    talk.run(2.0)
    assert [talk.heard(port) for port in (53, 54)] == [[OPENED], [OPENED]]


def test_what_waits_can_be_forgotten() -> None:
    talk = Talk(DNS)
    datagrams = Datagrams(talk.network, talk.dialer._agenda)
    socket = datagrams.make(1, Endpoint(V4, 53, Protocol.UDP), talk.events.append)
    datagrams.post(socket, b"\x12\x34")
    datagrams.clear()
    datagrams.send()
    talk.run()
    assert talk.events == []
