"""TTL-limited probes and what routers say to them, as packets."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.hop_proof import STEP, HopProof, State
from leadline.engine.path_proof import WORTH_A_SEARCH
from leadline.wire.batch import FrameBatch
from tests.support.groups import batch_of, error_reply, packets
from tests.support.machines import T0, Ports, ports_machine

EXCEEDED = {4: (11, 0), 6: (3, 0)}
ROUTER = {4: "10.8.8.1", 6: "2001:db8:8::1"}


def machine_of(family: int) -> Ports:
    machine = ports_machine(2, range(1, WORTH_A_SEARCH * 3), family=family)
    machine.prober.path.hop = HopProof()
    return machine


def searched(machine: Ports) -> tuple[FrameBatch, float]:
    """The first frames with small TTLs, and when they left."""
    now = T0
    for _ in range(400):
        frames = machine.poll(now, 4096)
        if frames is not None and len(limited(frames)) > 1:
            return frames, now
        now += 0.01
    raise AssertionError("no router was looked for")


def limited(frames: FrameBatch) -> list[object]:
    """Packets that end at a router."""
    return [one for one in packets(frames) if ttl_of(one) <= 32]


def ttl_of(packet: object) -> int:
    network = packet.payload if packet.name == "Ethernet" else packet  # type: ignore[attr-defined]
    return int(network.ttl if network.version == 4 else network.hlim)


@pytest.mark.parametrize("family", [4, 6])
def test_time_exceeded_that_quotes_the_probe_is_the_proof(family: int) -> None:
    machine = machine_of(family)
    frames, now = searched(machine)
    asked = limited(frames)
    assert sorted(ttl_of(one) for one in asked) == list(range(1, STEP + 1))
    third = next(one for one in asked if ttl_of(one) == 3)
    machine.receive(batch_of([error_reply(third, *EXCEEDED[family], source=ROUTER[family])], at=now + 0.1), now + 0.1)
    hop = machine.prober.path.hop
    assert hop is not None
    assert (hop.state, hop.ttl) == (State.PROVING, 3)
    assert machine.heard == []
    assert machine.prober.items.answered_try.sum() == 0


@pytest.mark.parametrize(("kind", "code"), [(11, 1), (3, 1), (3, 13)])
def test_other_errors_prove_nothing(kind: int, code: int) -> None:
    machine = machine_of(4)
    frames, now = searched(machine)
    replies = [error_reply(one, kind, code, source=ROUTER[4]) for one in limited(frames)]
    machine.receive(batch_of(replies, at=now + 0.1), now + 0.1)
    assert machine.prober.path.hop is not None
    assert machine.prober.path.hop.ttl == 0


def test_a_quote_with_a_wrong_tag_proves_nothing() -> None:
    machine = machine_of(4)
    frames, now = searched(machine)
    forged = limited(frames)[0].copy()  # type: ignore[attr-defined]
    forged["TCP"].seq ^= 1
    machine.receive(batch_of([error_reply(forged, 11, 0, source=ROUTER[4])], at=now + 0.1), now + 0.1)
    assert machine.prober.path.hop is not None
    assert machine.prober.path.hop.ttl == 0


def test_time_exceeded_for_an_ordinary_probe_is_an_answer_to_that_and_no_proof() -> None:
    machine = machine_of(4)
    frames, now = searched(machine)
    ordinary = next(one for one in packets(frames) if ttl_of(one) > 32)
    machine.receive(batch_of([error_reply(ordinary, 11, 0, source=ROUTER[4])], at=now + 0.1), now + 0.1)
    assert len(machine.heard) == 1
    assert machine.prober.path.hop is not None
    assert machine.prober.path.hop.ttl == 0
    assert np.count_nonzero(machine.prober.items.answered_try) == 1
