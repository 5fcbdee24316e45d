"""Which ports are asked alike."""

from __future__ import annotations

import numpy as np

from leadline.engine.payloads import MOST_PAYLOADS, NOTHING, Payloads


def asked(payloads: Payloads, *ports: int) -> dict[int, tuple[bytes, ...]]:
    numbers = np.array(ports, dtype=np.int64)
    return {ports[row]: said for rows, said in payloads.groups(numbers) for row in rows.tolist()}


def test_ports_without_a_payload_are_sent_nothing_in_one_datagram() -> None:
    assert asked(Payloads(), 1, 65_535) == {1: NOTHING, 65_535: NOTHING}
    assert Payloads().ports == ()
    assert list(Payloads().groups(np.empty(0, dtype=np.int64))) == []


def test_ports_with_the_same_payloads_are_one_group() -> None:
    payloads = Payloads({53: (b"a", b"b"), 5353: (b"a", b"b"), 123: (b"c",), 7: ()})
    assert payloads.ports == (53, 123, 5353)
    assert asked(payloads, 53, 7, 123, 5353) == {53: (b"a", b"b"), 7: NOTHING, 123: (b"c",), 5353: (b"a", b"b")}
    assert len(list(payloads.groups(np.array([53, 5353, 53])))) == 1


def test_a_port_has_at_most_so_many_payloads() -> None:
    many = tuple(bytes([number // 256, number % 256]) for number in range(300))
    assert asked(Payloads({1: many}), 1)[1] == many[:MOST_PAYLOADS]
