from __future__ import annotations

import errno
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.sim.network import SimNetwork
from leadline.sim.outgoing import Packet, error_number, exchange, is_hard
from leadline.sim.traffic import AnswerKind
from leadline.sim.world import SimService
from leadline.wire.columns import Kind
from tests.support.sim_dialogue import V4, world_of


def packets(*texts: str) -> list[Packet]:
    return [Packet(ip_address(text), 53, 40_000 + row, 1000.0, length=3) for row, text in enumerate(texts)]


def test_rows_by_what_becomes_of_them() -> None:
    world = world_of([SimService(53, 17)])
    sent = packets(str(V4), "192.0.2.99", "127.0.0.1", "10.0.0.1")
    batches = list(exchange(SimNetwork(world), 4, sent, Kind.UDP))
    assert [(batch.rows, batch.error) for batch in batches] == [([1], errno.EHOSTUNREACH), ([0, 3], 0), ([2], 0)]
    (answers, *_) = batches[1].answers
    assert answers.kind.tolist() == [AnswerKind.UDP] * 2
    assert (-1 - answers.frame).tolist() == [0, 1]
    assert answers.target_port.tolist() == [40_000, 40_003]
    assert [str(packet.source) for packet in sent] == ["192.0.2.2", "192.0.2.2", "127.0.0.1", "192.0.2.2"]
    lonely = replace(world, interfaces=(replace(world.interfaces[0], gateways=()),))
    (batch,) = exchange(SimNetwork(lonely), 4, packets(str(V4)), Kind.TCP)
    assert (batch.rows, batch.error, batch.answers) == ([0], errno.ENETUNREACH, ())


@pytest.mark.parametrize(
    ("family", "icmp", "error", "hard"),
    [
        (4, (3, 3), errno.ECONNREFUSED, True),
        (4, (3, 1), errno.EHOSTUNREACH, False),
        (4, (3, 0), errno.ENETUNREACH, False),
        (4, (3, 13), errno.EHOSTUNREACH, True),
        (4, (11, 0), errno.EHOSTUNREACH, False),
        (6, (1, 4), errno.ECONNREFUSED, True),
        (6, (1, 1), errno.EACCES, True),
        (6, (1, 3), errno.EHOSTUNREACH, False),
    ],
)
def test_errors_as_the_kernel_translates_them(family: int, icmp: tuple[int, int], error: int, hard: bool) -> None:
    assert error_number(family, *icmp) == error
    assert is_hard(family, *icmp) is hard
