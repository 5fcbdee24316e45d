from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.sim import exchange
from leadline.sim.liars import Flood, WrongTag
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, ports, simple_world
from leadline.wire.batch import concatenate, single
from tests.support.sim_columns import probes
from tests.support.sim_scanner import Scanner

WORLD = simple_world(
    [SimHost((ip_address("10.0.0.1"),), tcp=ports(80)), SimHost((ip_address("10.0.0.2"),), lie=WrongTag())]
)


def test_tally_tells_what_became_of_the_probes() -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    scanner.tcp("10.0.0.1", [80, 81])
    scanner.tcp("10.0.0.99", [80])
    tally = scanner.network.tally
    assert (tally.probes, tally.arrived, tally.answers, tally.lost_answers) == (3, 2, 2, 0)


def test_honest_and_lying_answers_are_apart() -> None:
    network = SimNetwork(WORLD)
    asked = probes(["10.0.0.1", "10.0.0.2"], [80, 80])
    honest, lies = network.exchange.connect(4, asked, local=False)
    assert honest.host.tolist() == [0]
    assert [answers.host.tolist() for answers in lies] == [[1]]


def test_a_flood_is_cut_before_it_becomes_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_LIES", 50)
    network = SimNetwork(simple_world([SimHost((ip_address("10.0.0.1"),), lie=Flood(factor=1000))]))
    _, lies = network.exchange.connect(4, probes(["10.0.0.1"], [80]), local=False)
    assert [len(answers) for answers in lies] == [50]


def test_local_attempts_meet_the_local_host() -> None:
    network = SimNetwork(WORLD)
    honest, _ = network.exchange.connect(4, probes(["127.0.0.1"], [80], source="127.0.0.1"), local=True)
    assert honest.host.tolist() == [network.terrain.local_host]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=8), st.booleans())
def test_any_bytes_may_be_sent(rows: list[bytes], framed: bool) -> None:
    scanner = Scanner(WORLD, "10.0.0.1")
    head = scanner.tcp_frames("10.0.0.1", [80]).row(0)[: 34 if framed else 0]
    batch = concatenate([single(head + row, 14) for row in rows])
    assert scanner.link.send(batch) == len(rows)
    scanner.link.wait(1.0)
    assert len(scanner.link.receive()) <= 2 * len(rows)


def test_mixed_families_in_one_batch() -> None:
    four, six = Scanner(WORLD, "192.0.2.1"), Scanner(WORLD, "2001:db8:ffff::1")
    batch = concatenate([four.tcp_frames("192.0.2.1", [1]), six.tcp_frames("2001:db8:ffff::1", [1])])
    interface = WORLD.interfaces[0]
    answers = four.network.exchange.answer(interface, batch)
    assert sorted(int(one.frames[0, 14] >> 4) for one in answers) == [4, 6]
    assert np.concatenate([one.lengths for one in answers]).tolist().count(54) == 1
