"""Pieces into packets: what the shaper cuts comes together again, whatever comes between."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leadline.sim.reassembly import Reassembly
from leadline.wire.batch import FrameBatch, concatenate
from leadline.wire.shaping import FrameShape, shape_frames
from leadline.wire.template import TcpTemplate, UdpTemplate
from tests.support.groups import group_of


def probes(hosts: int = 3, offset: int = 14) -> FrameBatch:
    group = group_of(hosts=hosts, header=offset)
    ids = np.arange(hosts) + 1
    syns = TcpTemplate(group.framing(), 2).build(group.hi, group.lo, None, 1, 2, 3, 0, 40, ids)
    data = UdpTemplate(group.framing(), bytes(range(50))).build(group.hi, group.lo, None, 1, 2, 40, ids + 100)
    return concatenate([syns, data])


def frames(batch: FrameBatch) -> list[bytes]:
    return [batch.row(index) for index in range(len(batch))]


def part(batch: FrameBatch, rows: list[int]) -> FrameBatch:
    return batch.pick(np.array(rows, dtype=np.intp))


def test_whole_packets_pass() -> None:
    batch = probes()
    assert Reassembly().whole(batch) is batch
    nothing = part(batch, [])
    assert Reassembly().whole(nothing) is nothing


@given(st.sampled_from([8, 16, 24, 40]), st.sampled_from([0, 14]), st.sampled_from([b"", b"\1" * 8]), st.randoms())
def test_what_was_cut_is_whole_again(chunk: int, offset: int, options: bytes, random: object) -> None:
    batch = probes(offset=offset)
    straight = shape_frames(batch, FrameShape(options=options))
    cut = shape_frames(batch, FrameShape(options=options, chunk=chunk))
    assert frames(Reassembly().whole(cut)) == frames(straight)
    order = list(range(len(cut)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert sorted(frames(Reassembly().whole(part(cut, order)))) == sorted(frames(straight))


def test_pieces_may_come_in_several_batches_between_others() -> None:
    cut = shape_frames(probes(1), FrameShape(chunk=8))
    cut.times[:] = np.arange(len(cut))
    together = Reassembly()
    other = probes(2)
    assert len(together.whole(part(cut, [0, 1]))) == 0
    ended = together.whole(concatenate([part(other, [0]), part(cut, [2]), part(other, [1])]))
    assert frames(ended) == [other.row(0), probes(1).row(0), other.row(1)]
    assert ended.times.tolist() == [0.0, 2.0, 0.0]


def test_what_does_not_fit_never_becomes_a_packet() -> None:
    cut = shape_frames(probes(1), FrameShape(chunk=8))
    for rows in ([0, 2], [1, 2], [0, 0, 1, 2], [0, 1]):
        assert len(Reassembly().whole(part(cut, rows))) == 0


def test_old_pieces_are_forgotten() -> None:
    cut = shape_frames(probes(1), FrameShape(chunk=8))
    together = Reassembly()
    together.whole(part(cut, [0, 1]))
    late = part(cut, [2])
    late.times[:] = 31.0
    assert len(together.whole(late)) == 0


@given(st.lists(st.binary(min_size=34, max_size=60), min_size=1, max_size=12))
def test_no_bytes_break_it(rows: list[bytes]) -> None:
    width = max(map(len, rows))
    matrix = np.array([list(row.ljust(width, b"\0")) for row in rows], dtype=np.uint8)
    matrix[:, 12:15] = (8, 0, 0x45)
    lengths = np.array([len(row) for row in rows], dtype=np.int32)
    made = Reassembly().whole(FrameBatch(matrix, lengths, np.zeros(len(rows)), 14))
    assert len(made) <= len(rows)
