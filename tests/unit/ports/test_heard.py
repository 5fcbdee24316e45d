"""What UDP ports said is kept: whole, once, and bounded."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

import leadline.ports.heard as heard_module
from leadline.ports.heard import LONGEST_ANSWER, MOST_ANSWERS, Heard
from leadline.wire.batch import FrameBatch
from leadline.wire.columns import decode
from tests.support.groups import MAC, PEER, batch_of


def said(payload: bytes, family: int = 4) -> Packet:
    network = IP(src="10.9.0.10", dst="10.9.0.1") if family == 4 else IPv6(src="fd09::10", dst="fd09::1")
    return Ether(src=PEER, dst=MAC) / network / UDP(sport=53, dport=40_000) / Raw(payload)


def keep(heard: Heard, batch: FrameBatch, *items: int) -> None:
    heard.keep(np.array(items), batch, decode(batch), np.arange(len(items)))


@pytest.mark.parametrize("family", [4, 6])
def test_answers_are_kept_by_item_each_once(family: int) -> None:
    heard = Heard()
    keep(
        heard,
        batch_of([said(b"one", family), said(b"two", family), said(b"one", family), said(b"x", family)], 14),
        7,
        7,
        7,
        8,
    )
    assert heard.of(7) == (b"one", b"two")
    assert heard.of(8) == (b"x",)
    assert heard.of(9) == ()


def test_what_is_cut_empty_or_too_long_is_left_out() -> None:
    heard = Heard()
    batch = batch_of([said(b"a long answer"), said(b""), said(bytes(LONGEST_ANSWER + 1)), said(b"fits")], 14)
    batch.lengths[0] -= 3
    keep(heard, batch, 1, 2, 3, 4)
    assert [heard.of(item) for item in (1, 2, 3, 4)] == [(), (), (), (b"fits",)]


def test_a_flood_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    keep(heard, batch_of([said(bytes([number])) for number in range(20)], 14), *[5] * 20)
    assert len(heard.of(5)) == MOST_ANSWERS
    monkeypatch.setattr(heard_module, "MOST_BYTES", 10)
    heard = Heard()
    keep(heard, batch_of([said(b"12345678"), said(b"123"), said(b"1")], 14), 1, 2, 3)
    assert [heard.of(item) for item in (1, 2, 3)] == [(b"12345678",), (b"123",), ()]
