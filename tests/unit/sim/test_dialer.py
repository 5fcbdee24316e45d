from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.errors import UsageError
from leadline.model.plan import Proxy
from leadline.model.port import Protocol
from leadline.net.base import Dialer, Endpoint, Opened
from leadline.sim.faults import LinkFaults
from leadline.sim.firewall import Action, Rule
from leadline.sim.liars import Tarpit
from leadline.sim.network import SimNetwork
from leadline.sim.speech import Reply, Then
from leadline.sim.world import Behaviour, PortTable, SimHost, SimService, ports
from tests.support.sim_dialogue import ROUND, V4, V6, Talk, world_of

SSH = SimService(22, banner=b"SSH-2.0-x\r\n")
ECHO = SimService(7, answers=(Reply(b"", b"you said something"),))


def test_a_banner_takes_two_round_trips() -> None:
    talk = Talk(SSH)
    talk.open(22)
    talk.run()
    assert talk.heard(22) == [("opened",), ("received", b"SSH-2.0-x\r\n")]
    assert talk.times(22) == [pytest.approx(ROUND, abs=0.001), pytest.approx(2 * ROUND, abs=0.001)]


def test_closed_silent_and_rejected_ports() -> None:
    table = PortTable(open=frozenset({22}), filtered=frozenset({1}), rejected=frozenset({2}))
    talk = Talk(SSH, tcp=table)
    for port in (1, 2, 3):
        talk.open(port)
    talk.run(130.0)
    assert talk.heard(1) == [("ended", "connect", errno.ETIMEDOUT)]
    assert talk.heard(2) == [("ended", "connect", errno.EHOSTUNREACH)]
    assert talk.heard(3) == [("ended", "connect", errno.ECONNREFUSED)]
    assert talk.last(3).message == "Connection refused"  # type: ignore[union-attr]


def test_no_route_and_no_neighbor() -> None:
    world = world_of([SSH])
    for address, error, interface in (
        (ip_address("192.0.2.99"), errno.EHOSTUNREACH, world.interfaces[0]),
        (V4, errno.ENETUNREACH, replace(world.interfaces[0], gateways=())),
    ):
        dialer = SimNetwork(replace(world, interfaces=(interface,))).dialer(None)
        dialer.open(1, Endpoint(address, 22))
        (ended,) = dialer.poll(5.0)
        assert (ended.phase, ended.error) == ("connect", error)  # type: ignore[union-attr]


def test_a_firewall_judges_connections() -> None:
    world = world_of([SSH])
    rule = Rule(Action.RESET, protocol=6, ports=((22, 22),))
    subnet = world.subnets[-1]
    guarded = replace(subnet, routers=(replace(subnet.routers[0], firewall=(rule,)),))
    dialer = SimNetwork(replace(world, subnets=(*world.subnets[:-1], guarded))).dialer(None)
    dialer.open(1, Endpoint(V4, 22))
    (ended,) = dialer.poll(5.0)
    assert ended.error == errno.ECONNREFUSED  # type: ignore[union-attr]


def test_what_is_sent_before_the_connection_is_there_arrives() -> None:
    talk = Talk(ECHO)
    talk.open(7)
    assert talk.say(7, b"hello") == [("opened",), ("received", b"you said something")]


def test_both_families_and_this_machine_itself() -> None:
    world = replace(world_of([SSH]), local=SimHost((), tcp=ports(22), services=(SSH,)))
    dialer = SimNetwork(world).dialer(None)
    for token, text in enumerate((str(V6), "127.0.0.1", "192.0.2.2", "::1", "127.9.9.9")):
        dialer.open(token, Endpoint(ip_address(text), 22))
    told = [event for _ in range(10) for event in dialer.poll(0.1)]
    assert {event.token for event in told if isinstance(event, Opened)} == set(range(5))
    assert len(told) == 10


def test_streams_beyond_the_capacity_wait_for_their_turn() -> None:
    talk = Talk(SSH, limit=2)
    assert talk.dialer.capacity == 2
    for token in (1, 2, 3, 4):
        talk.open(token, 22)
    talk.dialer.send(4, b"early")
    talk.run()
    assert {event.token for event in talk.events} == {1, 2}
    talk.dialer.close(1)
    talk.run()
    assert talk.heard(3) == [("opened",), ("received", SSH.banner)]
    assert talk.heard(4) == []
    talk.dialer.close(3)
    talk.dialer.close(2)
    talk.run()
    assert talk.heard(4)[0] == ("opened",)


def test_a_stream_that_ended_makes_room() -> None:
    talk = Talk(SSH, limit=1)
    talk.open(1, 23)
    talk.open(2, 22)
    talk.run()
    assert talk.heard(1) == [("ended", "connect", errno.ECONNREFUSED)]
    assert talk.heard(2) == [("opened",), ("received", SSH.banner)]
    assert talk.times(2)[0] > talk.times(1)[0] + ROUND - 0.001


@pytest.mark.parametrize("moment", [0.0, 0.021, 0.5])
def test_nothing_is_told_of_a_closed_stream(moment: float) -> None:
    talk = Talk(replace(SSH, banner_delay=0.6))
    talk.open(22)
    talk.run(moment)
    before = len(talk.events)
    talk.dialer.close(22)
    talk.dialer.send(22, b"x")
    talk.dialer.start_tls(22)
    talk.run(2.0)
    assert len(talk.events) == before


def test_events_that_wait_go_with_their_stream() -> None:
    talk = Talk(SimService(53, 17))
    talk.open(53, udp=True)
    talk.dialer.close(53)
    assert talk.dialer.poll(0.1) == []


def test_a_token_opened_again_is_another_stream() -> None:
    talk = Talk(SSH, ECHO)
    talk.open(1, 7)
    talk.open(1, 22)
    talk.run()
    assert talk.heard(1) == [("opened",), ("received", SSH.banner)]


def test_poll_waits_no_longer_than_told() -> None:
    talk = Talk(SSH)
    clock = talk.network.clock
    before = clock.now()
    assert talk.dialer.poll(0.25) == []
    assert clock.now() == before + 0.25
    talk.open(22)
    assert talk.dialer.poll(0.01) == []
    assert clock.now() == pytest.approx(before + 0.26, abs=0.001)
    assert talk.dialer.poll(5.0) != []
    assert clock.now() == pytest.approx(before + 0.25 + ROUND + 0.001, abs=0.001)


def test_close_all() -> None:
    talk = Talk(SSH, limit=1)
    talk.open(1, 22)
    talk.open(2, 22)
    talk.dialer.close_all()
    talk.run()
    assert talk.events == []


def test_a_tarpit_accepts_and_says_nothing() -> None:
    talk = Talk(tcp=PortTable(Behaviour.CLOSED), lie=Tarpit())
    talk.open(4711)
    assert talk.say(4711, b"hello?") == [("opened",)]


def test_the_same_seed_tells_the_same() -> None:
    def told(seed: int) -> list[object]:
        talk = Talk(SSH, ECHO, seed=seed, faults=LinkFaults(latency=0.01, jitter=0.01, loss=0.1))
        for token in range(40):
            talk.open(token, (22, 7)[token % 2])
            talk.dialer.send(token, b"x")
        talk.run(20.0)
        return list(talk.events)

    assert told(5) == told(5)
    assert told(5) != told(6)


def test_a_connection_of_a_lossy_line_is_late_not_broken() -> None:
    talk = Talk(SSH, seed=3, faults=LinkFaults(latency=0.01, loss=0.2))
    for token in range(100):
        talk.open(token, 22)
    talk.run(130.0)
    assert all(talk.heard(token) == [("opened",), ("received", SSH.banner)] for token in range(100))
    late = [token for token in range(100) if talk.times(token)[1] - talk.times(token)[0] > 0.2]
    assert 10 < len(late) < 60


def test_proxies_are_refused_in_words() -> None:
    network = SimNetwork(world_of([SSH]))
    with pytest.raises(UsageError, match="no proxies"):
        network.dialer(None, (Proxy("http", "127.0.0.1", 3128),))


def test_limits_of_the_dialer() -> None:
    network = SimNetwork(world_of([SSH]))
    dialer: Dialer = network.dialer(0)
    assert dialer.capacity == 1
    assert network.dialer(None).capacity == network.dialer(10**6).capacity == 1000


def test_udp_waits_for_its_turn_too() -> None:
    talk = Talk(SimService(53, 17, banner=b"answer"), limit=1)
    talk.open(1, 53, udp=True)
    talk.open(2, 53, udp=True)
    talk.dialer.send(2, b"question")
    talk.run()
    assert talk.heard(2) == []
    talk.dialer.close(1)
    talk.run()
    assert talk.heard(2) == [("opened",), ("received", b"answer")]


def test_a_port_that_refuses_after_some_connections() -> None:
    talk = Talk(replace(SSH, accepts=2))
    for token in (1, 2, 3):
        talk.open(token, 22)
        talk.run(0.1)
    assert [talk.heard(token)[0] for token in (1, 2)] == [("opened",)] * 2
    assert talk.heard(3) == [("ended", "connect", errno.ECONNREFUSED)]


def test_ending_services_end_their_streams() -> None:
    talk = Talk(SimService(9, after_banner=Then.CLOSE), SimService(10, banner=b"bye", after_banner=Then.RESET))
    talk.open(9)
    talk.open(10)
    talk.run()
    assert talk.heard(9) == [("opened",), ("ended", "stream", 0)]
    assert talk.heard(10) == [("opened",), ("received", b"bye"), ("ended", "stream", errno.ECONNRESET)]


def test_protocols_have_ports_of_their_own() -> None:
    talk = Talk(SimService(53, 17, banner=b"udp"), SimService(53, 6, banner=b"tcp"))
    talk.open(1, 53, udp=True)
    talk.open(2, 53)
    assert talk.say(1, b"x")[1:] == [("received", b"udp")]
    assert talk.heard(2)[1:] == [("received", b"tcp")]
    assert Endpoint(V4, 53).protocol is Protocol.TCP
