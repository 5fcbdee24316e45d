"""Which numbers carry the tag, and which answers repeat it; real frames are in test_codec.py."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from leadline.engine.tcp_mark import TcpMark
from leadline.model.tcp_flags import ACK, FIN, PSH, RST, SYN, URG
from leadline.wire.columns import Decoded, decode
from tests.support.groups import MAC, PEER, batch_of, error_reply

TAG = 0xFFFFFFFE
ROWS = np.array([0])


def tags(number: int = TAG) -> np.ndarray:
    return np.array([number], dtype=np.uint32)


def answer(flags: int, sequence: int = 0, acknowledgment: int = 0) -> Decoded:
    segment = TCP(sport=80, dport=40_000, flags=flags, seq=sequence % 2**32, ack=acknowledgment % 2**32)
    return decode(batch_of([Ether(src=PEER, dst=MAC) / IP(src="10.9.0.10", dst="10.9.0.1") / segment]))


def believed(mark: TcpMark, frames: Decoded, number: int = TAG) -> bool:
    return bool((mark.may_answer(frames.tcp_flags) & mark.answered(tags(number), frames, ROWS))[0])


@pytest.mark.parametrize(
    ("flags", "sequence", "acknowledgment"),
    [
        (SYN, TAG, 0),
        (ACK, 0, TAG),
        (FIN | ACK, 0, TAG),
        (0, TAG, 0),
        (FIN, TAG, 0),
        (FIN | PSH | URG, TAG, 0),
        (SYN | ACK, 1, TAG),
        (RST, TAG, 0),
        (RST | ACK, 0, TAG),
    ],
)
def test_where_the_tag_is(flags: int, sequence: int, acknowledgment: int) -> None:
    numbers = TcpMark(flags).numbers(tags())
    assert [int(np.max(number)) for number in numbers] == [sequence, acknowledgment]


@pytest.mark.parametrize(
    ("sent", "taken"), [(SYN, 1), (0, 0), (FIN, 1), (FIN | PSH | URG, 1), (SYN | FIN, 2), (PSH | URG, 0)]
)
def test_answers_without_our_ack_repeat_the_sequence_number(sent: int, taken: int) -> None:
    """RFC 9293 section 3.10.7.1: ACK=SEG.SEQ+SEG.LEN; some stacks leave SEG.LEN out. Numbers go round at 2**32."""
    mark = TcpMark(sent)
    right = [beyond for beyond in range(-3, 6) if believed(mark, answer(RST | ACK, 0, TAG + beyond))]
    assert right == list(range(taken + 1))
    accepted = [beyond for beyond in range(-3, 6) if believed(mark, answer(SYN | ACK, 5, TAG + beyond))]
    assert accepted == list(range(1, taken + 1))
    assert not believed(mark, answer(RST, TAG, TAG)), "a reset that acknowledges nothing proves nothing"


@pytest.mark.parametrize("sent", [ACK, FIN | ACK, SYN | ACK, 0xFF & ~RST])
def test_answers_to_our_ack_are_resets_with_its_number(sent: int) -> None:
    mark = TcpMark(sent)
    assert believed(mark, answer(RST, TAG))
    assert believed(mark, answer(RST | ACK, TAG, 7))
    for wrong in (answer(RST, TAG - 1), answer(RST, TAG + 1), answer(RST | ACK, 0, TAG), answer(ACK, TAG)):
        assert not believed(mark, wrong)


@given(
    st.integers(0, 0xFF),
    st.integers(0, 0x1FF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
)
def test_what_repeats_no_tag_is_never_believed(
    sent: int, flags: int, sequence: int, acknowledgment: int, number: int
) -> None:
    fits = (sequence == number) if sent & ACK else (acknowledgment - number) % 2**32 <= 2
    assert fits or not believed(TcpMark(sent), answer(flags, sequence, acknowledgment), number)


def quote(mark: TcpMark, length: int | None = None, ip_id: int = 0x1234, **changes: int) -> Decoded:
    sequence, acknowledgment = (int(np.max(number)) for number in mark.numbers(tags()))
    fields = {"seq": sequence, "ack": acknowledgment} | changes
    probe = Ether(src=MAC, dst=PEER) / IP(src="10.9.0.1", dst="10.9.0.10", id=ip_id) / TCP(flags=mark.flags, **fields)
    reply = error_reply(probe)
    if length is not None:
        reply.lastlayer().load = bytes(probe[IP])[:length]
    else:
        reply.lastlayer().load = bytes(probe[IP])
    return decode(batch_of([reply]))


def quoted(mark: TcpMark, frames: Decoded) -> bool:
    return bool(mark.quoted(tags(), np.array([0x1234], dtype=np.uint16), frames, ROWS)[0])


@pytest.mark.parametrize("sent", [SYN, FIN, 0, SYN | ACK])
def test_errors_about_probes_with_the_tag_in_the_sequence_number(sent: int) -> None:
    mark = TcpMark(sent)
    assert quoted(mark, quote(mark, 28))
    assert quoted(mark, quote(mark))
    assert quoted(mark, quote(mark, 28, 0x9999)), "the sequence number is proof enough"
    assert not quoted(mark, quote(mark, seq=TAG - 1))


@pytest.mark.parametrize("sent", [ACK, FIN | ACK])
def test_errors_about_probes_with_the_tag_in_the_acknowledgment_number(sent: int) -> None:
    mark = TcpMark(sent)
    assert quoted(mark, quote(mark))
    assert quoted(mark, quote(mark, ip_id=0x9999)), "the number is proof enough"
    assert not quoted(mark, quote(mark, ack=TAG - 1)), "the identification is no proof beside a wrong number"
    assert not quoted(mark, quote(mark, seq=1))
    # Eight bytes of the segment, as RFC 792 demands: the number is not among them.
    assert quoted(mark, quote(mark, 28))
    assert quoted(mark, quote(mark, 28, 0x3412)), "some old stacks exchange its bytes"
    assert not quoted(mark, quote(mark, 28, 0x1235))
