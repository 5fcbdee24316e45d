from __future__ import annotations

from dataclasses import replace

import pytest

from leadline.sim.faults import LinkFaults, TokenBucket
from leadline.sim.known_ports import KnownPorts
from leadline.sim.liars import Tarpit
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimService
from tests.support.sim_dialogue import ROUND, V4, V6, Talk, world_of

SSH = SimService(22, banner=b"SSH-2.0-x\r\n")


def test_it_knows_what_it_has_learnt() -> None:
    known = KnownPorts(SimNetwork(world_of([SSH])))
    assert not known.knows(V4, 22, "")
    known.learn(V4, 22, "")
    known.learn(V4, 22, "")
    assert known.knows(V4, 22, "")
    assert not known.knows(V6, 22, "")
    assert known.answer(V4, 22, "", 1000.0) == pytest.approx(1000.0 + ROUND, abs=0.001)


@pytest.mark.parametrize(
    "fields",
    [
        {"lie": Tarpit()},
        {"probe_limit": TokenBucket(10.0)},
        {"faults": LinkFaults(rate=100.0)},
        {"faults": LinkFaults(reordering=0.1)},
    ],
)
def test_what_depends_on_more_than_chance_is_not_remembered(fields: dict[str, object]) -> None:
    known = KnownPorts(SimNetwork(world_of([SSH], **fields)))  # type: ignore[arg-type]
    known.learn(V4, 22, "")
    assert not known.knows(V4, 22, "")


def test_nobody_is_not_remembered() -> None:
    known = KnownPorts(SimNetwork(world_of([SSH])))
    nobody = V4 + 1
    known.learn(nobody, 22, "")
    assert not known.knows(nobody, 22, "")


def test_it_answers_as_the_columns_do() -> None:
    """Two runs of 3,000 connections over a bad line, with and without the memory: the same losses, the same times."""

    def opened(remembers: bool) -> tuple[float, float, float]:
        faults = LinkFaults(latency=0.01, jitter=0.02, loss=0.1)
        talk = Talk(SSH, seed=4, faults=faults, limit=1000, think=0.005)
        if not remembers:
            talk.dialer._handshakes._known = None
        for token in range(3000):
            talk.open(token, 22)
            if token % 100 == 99:
                talk.run(0.05)
                for used in range(token - 99, token + 1):
                    talk.dialer.close(used)
        times = [talk.times(token)[0] for token in range(3000) if talk.times(token)]
        started = [0.05 * (token // 100) for token in range(3000) if talk.times(token)]
        taken = sorted(at - start for at, start in zip(times, started, strict=True))
        return len(taken) / 3000, taken[0], sum(taken) / len(taken)

    slow, quick = opened(False), opened(True)
    assert quick[0] == pytest.approx(slow[0], abs=0.04)
    assert quick[1] == pytest.approx(slow[1], abs=0.004)
    assert quick[2] == pytest.approx(slow[2], rel=0.05)


def test_the_tally_counts_on() -> None:
    talk = Talk(replace(SSH, banner=b""), faults=LinkFaults(loss=0.3), seed=1)
    for token in range(100):
        talk.open(token, 22)
        talk.run(0.5)
        talk.dialer.close(token)
    tally = talk.network.tally
    assert tally.probes >= 100 > tally.arrived
    assert tally.arrived == tally.answers > tally.lost_answers > 10
