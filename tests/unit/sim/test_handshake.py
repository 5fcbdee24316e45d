from __future__ import annotations

import errno
from ipaddress import ip_address

import pytest

from leadline.link.base import Connected
from leadline.sim.handshake import Handshakes
from leadline.sim.network import SimNetwork
from leadline.sim.world import PortTable
from tests.support.sim_dialogue import ROUND, V4, V6, world_of

TABLE = PortTable(open=frozenset({80}), filtered=frozenset({82}))


def network() -> SimNetwork:
    return SimNetwork(world_of([], tcp=TABLE))


def endings(handshakes: Handshakes) -> list[Connected]:
    handshakes.send()
    ended: list[Connected] = []
    while (moment := handshakes.next_time()) is not None:
        ended += handshakes.take(moment)
    return ended


def test_endings_tell_their_time() -> None:
    net = network()
    handshakes = Handshakes(net)
    for token, (address, port) in enumerate(((V4, 80), (V6, 80), (V4, 81), (V4, 82))):
        handshakes.launch(token, address, port)
    assert len(handshakes) == 4
    ended = {one.token: one for one in endings(handshakes)}
    assert [ended[token].error for token in range(4)] == [0, 0, errno.ECONNREFUSED, errno.ETIMEDOUT]
    assert ended[0].at - net.clock.now() == pytest.approx(ROUND, abs=0.001)
    assert ended[3].at - net.clock.now() == pytest.approx(127.0)
    assert len(handshakes) == 0


def test_silence_is_asked_seven_times() -> None:
    net = network()
    handshakes = Handshakes(net)
    handshakes.launch(1, V4, 82)
    endings(handshakes)
    assert net.tally.probes == 7


def test_what_is_cancelled_sends_nothing_more() -> None:
    net = network()
    handshakes = Handshakes(net)
    handshakes.launch(1, V4, 82)
    handshakes.launch(2, V4, 80)
    assert handshakes.cancel(2)
    assert not handshakes.cancel(2)
    handshakes.send()
    assert net.tally.probes == 1
    handshakes.cancel(1)
    assert endings(handshakes) == []
    assert net.tally.probes == 1


def test_all_can_be_forgotten() -> None:
    handshakes = Handshakes(network())
    handshakes.launch(1, V4, 80)
    handshakes.clear()
    assert endings(handshakes) == []
    assert handshakes.next_time() is None


def test_nobody_on_the_link() -> None:
    net = network()
    handshakes = Handshakes(net)
    handshakes.launch(1, ip_address("192.0.2.99"), 80)
    (ended,) = endings(handshakes)
    assert ended == Connected(1, errno.EHOSTUNREACH, net.clock.now() + 3.0)
