import errno
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.engine.replies import Replies
from leadline.model.plan import Technique
from leadline.model.port import PortState, Protocol, Reason
from leadline.ports.classify import (
    CONNECT_MEANINGS,
    TRANSITIONS,
    classify,
    flag_words,
    icmp_words,
)
from leadline.ports.techniques import RAW_TECHNIQUES, SYN_SCAN, RawTechnique
from leadline.wire.columns import Decoded

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
OPEN, CLOSED, FILTERED, UNKNOWN = PortState.OPEN, PortState.CLOSED, PortState.FILTERED, PortState.UNKNOWN


def one(
    flags: int = 0, error: tuple[int, int] | None = None, family: int = 4, *, technique: RawTechnique = SYN_SCAN,
    window: int = 0, own: bool = False, chunk: tuple[int, int] = (0, 0),
) -> tuple[PortState, Reason]:  # fmt: skip
    kind, code = error or (0, 0)
    frames = {field.name: np.zeros(1, dtype=np.uint64) for field in fields(Decoded)}
    told = {"family": family, "tcp_flags": flags, "window": window, "icmp_type": kind, "icmp_code": code}
    told |= {"chunk_type": chunk[0], "chunk_flags": chunk[1]}
    frames |= {name: np.array([value], dtype=np.uint16) for name, value in told.items()}
    number, one = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint8)
    replies = Replies(number, number, one, number, number, np.array([error is not None]), np.array([own]))
    verdicts = classify(technique, Decoded(**frames), replies)
    return PortState(int(verdicts.states[0])), Reason(int(verdicts.reasons[0]))


@pytest.mark.parametrize(
    ("flags", "state", "reason"),
    [
        (SYN | ACK, OPEN, Reason.SYN_ACK),
        (SYN | ACK | PSH | FIN, OPEN, Reason.SYN_ACK),
        (SYN | ACK | 0xC0, OPEN, Reason.SYN_ACK),
        (RST, CLOSED, Reason.RESET),
        (RST | ACK, CLOSED, Reason.RESET),
        (RST | SYN | ACK, CLOSED, Reason.RESET),
        (0x1FF, CLOSED, Reason.RESET),
        (SYN, OPEN, Reason.SPLIT_HANDSHAKE_SYN),
        (SYN | 0xC0, OPEN, Reason.SPLIT_HANDSHAKE_SYN),
    ],
)
def test_flags_that_decide(flags: int, state: PortState, reason: Reason) -> None:
    assert one(flags) == (state, reason)
    assert one(flags, family=6) == (state, reason)


@pytest.mark.parametrize("flags", [0, ACK, FIN, FIN | ACK, PSH | ACK, SYN | FIN, 0x40])
def test_flags_that_decide_nothing(flags: int) -> None:
    assert one(flags)[0] is UNKNOWN


@pytest.mark.parametrize(
    ("family", "error", "reason"),
    [
        (4, (3, 0), Reason.NET_UNREACH),
        (4, (3, 1), Reason.HOST_UNREACH),
        (4, (3, 2), Reason.PROTO_UNREACH),
        (4, (3, 3), Reason.PORT_UNREACH),
        (4, (3, 9), Reason.NET_PROHIBITED),
        (4, (3, 10), Reason.HOST_PROHIBITED),
        (4, (3, 13), Reason.ADMIN_PROHIBITED),
        (4, (11, 0), Reason.TIME_EXCEEDED),
        (4, (11, 1), Reason.TIME_EXCEEDED),
        (6, (1, 0), Reason.NO_ROUTE),
        (6, (1, 1), Reason.ADMIN_PROHIBITED),
        (6, (1, 2), Reason.BEYOND_SCOPE),
        (6, (4, 0), Reason.PARAM_PROBLEM),
        (6, (4, 1), Reason.PARAM_PROBLEM),
        (6, (1, 3), Reason.HOST_UNREACH),
        (6, (1, 4), Reason.PORT_UNREACH),
        (6, (1, 5), Reason.ADMIN_PROHIBITED),
        (6, (1, 6), Reason.REJECT_ROUTE),
        (6, (3, 0), Reason.TIME_EXCEEDED),
    ],
)
def test_errors_mean_filtered_and_say_why(family: int, error: tuple[int, int], reason: Reason) -> None:
    assert one(error=error, family=family) == (FILTERED, reason)


@pytest.mark.parametrize(
    ("family", "error"), [(4, (4, 0)), (4, (5, 1)), (4, (3, 4)), (4, (12, 0)), (6, (2, 0)), (6, (4, 2))]
)
def test_errors_that_decide_nothing(family: int, error: tuple[int, int]) -> None:
    assert one(error=error, family=family)[0] is UNKNOWN


@given(
    flags=st.integers(0, 65_535), kind=st.integers(0, 255), code=st.integers(0, 255), family=st.sampled_from([0, 4, 6]),
    technique=st.sampled_from(list(RAW_TECHNIQUES.values())), window=st.integers(0, 65_535),
)  # fmt: skip
def test_an_error_never_opens_or_closes_a_port(
    flags: int, kind: int, code: int, family: int, technique: RawTechnique, window: int
) -> None:
    state = one(flags, (kind, code), family, technique=technique, window=window)
    assert state[0] in (FILTERED, UNKNOWN)
    assert state == one(0, (kind, code), family), "the same for every technique"
    if technique.protocol is Protocol.TCP:
        assert state == one(flags, (kind, code), family, technique=technique, window=window, own=True)


@pytest.mark.parametrize("error", [(4, 3, 3), (6, 1, 4)])
def test_the_target_itself_says_that_a_udp_port_is_closed(error: tuple[int, int, int]) -> None:
    udp = RAW_TECHNIQUES[Technique.UDP]
    assert one(error=error[1:], family=error[0], technique=udp, own=True) == (CLOSED, Reason.PORT_UNREACH)
    assert one(error=error[1:], family=error[0], technique=udp) == (FILTERED, Reason.PORT_UNREACH)


def test_any_answer_opens_a_udp_port() -> None:
    assert one(technique=RAW_TECHNIQUES[Technique.UDP]) == (OPEN, Reason.UDP_RESPONSE)


@given(flags=st.integers(0, 511), window=st.integers(0, 65_535), family=st.sampled_from([4, 6]))
def test_only_a_reset_answers_what_is_no_syn(flags: int, window: int, family: int) -> None:
    for kind, technique in RAW_TECHNIQUES.items():
        if kind is Technique.SYN or technique.protocol is not Protocol.TCP:
            continue
        state, reason = one(flags, None, family, technique=technique, window=window)
        if not flags & RST:
            assert state is UNKNOWN
            continue
        meaning = {Technique.ACK: PortState.UNFILTERED, Technique.WINDOW: OPEN if window else CLOSED}.get(kind, CLOSED)
        assert (state, reason) == (meaning, Reason.RESET)


def test_what_opened_a_port_stays() -> None:
    assert not TRANSITIONS[OPEN].any()
    assert not TRANSITIONS.diagonal()[[UNKNOWN, OPEN, CLOSED, FILTERED]].any()
    assert not TRANSITIONS[:, UNKNOWN].any()


def test_better_answers_replace_worse_ones() -> None:
    assert TRANSITIONS[UNKNOWN, [OPEN, CLOSED, FILTERED]].all()
    assert TRANSITIONS[FILTERED, [OPEN, CLOSED]].all()
    assert np.flatnonzero(TRANSITIONS[CLOSED]).tolist() == [OPEN]


@given(st.lists(st.sampled_from([OPEN, CLOSED, FILTERED, PortState.UNFILTERED]), max_size=12))
def test_repeats_of_a_state_change_nothing(answers: list[PortState]) -> None:
    """On this the port scan relies when it looks at the first answer of each state only."""

    def outcome(states: list[PortState]) -> PortState:
        now = UNKNOWN
        for state in states:
            now = state if TRANSITIONS[now, state] else now
        return now

    assert outcome(answers) == outcome(list(dict.fromkeys(answers)))


def test_connect_errors() -> None:
    assert CONNECT_MEANINGS[0].state is OPEN
    assert CONNECT_MEANINGS[errno.ECONNREFUSED].state is CLOSED
    filtered = {code for code, meaning in CONNECT_MEANINGS.items() if meaning.state is FILTERED}
    assert {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM} <= filtered
    assert {meaning.up for code, meaning in CONNECT_MEANINGS.items() if code in filtered} == {False}
    assert not {errno.ETIMEDOUT, errno.EHOSTDOWN} & set(CONNECT_MEANINGS), "silence: the attempt is repeated"


def test_words() -> None:
    assert flag_words(SYN | ACK) == "tcp SA"
    assert flag_words(RST | ACK) == "tcp RA"
    assert flag_words(0x1FF) == "tcp FSRPAUECN"
    assert flag_words(0) == "tcp none"
    assert icmp_words(4, 3, 13) == "icmp 3/13"
    assert icmp_words(6, 1, 4) == "icmpv6 1/4"


@pytest.mark.parametrize(
    ("technique", "chunk", "verdict"),
    [
        (Technique.SCTP_INIT, (2, 0), (OPEN, Reason.INIT_ACK)),
        (Technique.SCTP_INIT, (6, 0), (CLOSED, Reason.ABORT)),
        (Technique.SCTP_INIT, (6, 1), (CLOSED, Reason.ABORT)),
        (Technique.SCTP_INIT, (9, 0), (UNKNOWN, Reason.UNKNOWN_RESPONSE)),
        (Technique.SCTP_COOKIE_ECHO, (6, 1), (CLOSED, Reason.ABORT)),
        (Technique.SCTP_COOKIE_ECHO, (2, 0), (UNKNOWN, Reason.UNKNOWN_RESPONSE)),
    ],
)
def test_chunks_that_decide(technique: Technique, chunk: tuple[int, int], verdict: tuple[PortState, Reason]) -> None:
    assert one(technique=RAW_TECHNIQUES[technique], chunk=chunk) == verdict
    assert one(technique=RAW_TECHNIQUES[technique], error=(3, 3)) == (FILTERED, Reason.PORT_UNREACH)
