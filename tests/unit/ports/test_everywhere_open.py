"""Who is suspected of answering on every port, what is tried, and what the answers prove."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.ports.everywhere_open import (
    FIRST_RANDOM,
    LEAST_PORTS,
    NAMED,
    RANDOM,
    Answer,
    Trial,
    collapse,
    judge,
    suspected,
    to_try,
    unverified,
)

OPEN, CLOSED = PortState.OPEN, PortState.CLOSED


def ports(first: int, last: int, state: PortState = OPEN, protocol: Protocol = Protocol.TCP) -> tuple[Port, ...]:
    return tuple(Port(number, protocol, state, Reason.SYN_ACK) for number in range(first, last + 1))


def summary(first: int, last: int, state: PortState = CLOSED, protocol: Protocol = Protocol.TCP) -> PortSummary:
    return PortSummary(protocol, state, Reason.RESET, ((first, last),), last - first + 1)


def trials(answer: Answer, *numbers: int, said: bytes = b"") -> list[Trial]:
    return [Trial(number, answer, said) for number in numbers]


@pytest.mark.parametrize(
    ("found", "rest", "suspicious"),
    [
        (ports(1, LEAST_PORTS), (), True),
        (ports(1, LEAST_PORTS - 1), (), False),
        (ports(1, 90), (summary(91, 100),), False),
        (ports(1, 91), (summary(92, 100),), True),
        (ports(1, 3), (summary(10, 900, OPEN),), True),
        (ports(1, 100, protocol=Protocol.UDP), (), False),
        (ports(1, 100, CLOSED), (), False),
        ((), (), False),
    ],
)
def test_who_is_suspected(found: tuple[Port, ...], rest: tuple[PortSummary, ...], suspicious: bool) -> None:
    assert suspected(found, rest) is suspicious


def test_what_is_said_of_whom_nobody_could_look_at_again() -> None:
    assert unverified(ports(1, 95), (summary(96, 100),)).startswith("95 of 100 TCP ports seem open")


def test_ports_that_nobody_asked_and_the_commonest_that_seem_open_are_tried() -> None:
    generator = np.random.default_rng(1)
    random, named = to_try(ports(1, 1000), (summary(1001, 40_000),), (443, 80, 50_000, 22), generator)
    assert len(set(random)) == RANDOM
    assert all(number > 40_000 for number in random)
    assert named[:3] == (443, 80, 22)
    assert len(named) == NAMED
    every, _ = to_try(ports(1, 65_535), (), (), generator)
    assert len(set(every)) == RANDOM, "when all were asked, some of the open ones must do"
    few, named = to_try(ports(7, 8), (summary(FIRST_RANDOM, 65_535),), (), generator)
    assert set(few) == set(named) == {7, 8}


@pytest.mark.parametrize(
    ("answer", "words"),
    [(Answer.SILENT, "a tarpit"), (Answer.DROPPED, "a SYN proxy"), (Answer.SPOKE, "they lead to one service")],
)
def test_a_host_that_answers_on_ports_nobody_is_expected_on(answer: Answer, words: str) -> None:
    random = [*trials(answer, *range(60_000, 60_007), said=b"HTTP/1.0 400"), Trial(60_008, Answer.NOTHING)]
    named = trials(answer, 22, 80, said=b"HTTP/1.0 400")
    judgement = judge(random, named)
    assert judgement.everywhere
    assert "7 of 8 random ones" in judgement.remark
    assert words in judgement.remark
    assert "differently" not in judgement.remark
    assert judgement.listed == (frozenset({22, 80}) if answer is Answer.SPOKE else frozenset())


def test_who_listens_behind_it_is_known_by_behaving_differently() -> None:
    banner = trials(Answer.SPOKE, 22, said=b"SSH-2.0-x")
    tarpit = judge(trials(Answer.SILENT, *range(8)), [*banner, *trials(Answer.SILENT, 80, 443)])
    assert tarpit.listed == {22}
    assert tarpit.remark.endswith("but 22 behaves differently")
    proxy = judge(trials(Answer.DROPPED, *range(8)), [*banner, *trials(Answer.SILENT, 80), *trials(Answer.DROPPED, 1)])
    assert proxy.listed == {22, 80}, "a connection that stands has found somebody"
    redirected = judge(
        trials(Answer.SPOKE, *range(8), said=b"HTTP/1.0 400"),
        [*banner, *trials(Answer.SPOKE, 80, said=b"HTTP/1.0 404 ")],
    )
    assert redirected.listed == {22, 80}
    assert redirected.remark.endswith("but 22 behaves differently")
    gone = judge(trials(Answer.SILENT, *range(8)), [*trials(Answer.REFUSED, 5), *trials(Answer.NOTHING, 6)])
    assert gone.listed == frozenset()


def test_a_host_that_just_has_many_ports_open_is_honest() -> None:
    half = [*trials(Answer.REFUSED, 1, 2), *trials(Answer.SILENT, 3), *trials(Answer.NOTHING, 4)]
    for random in (trials(Answer.REFUSED, *range(8)), trials(Answer.NOTHING, *range(8)), half, []):
        assert not judge(random, trials(Answer.SPOKE, 80)).everywhere


def test_open_ports_that_prove_nothing_are_counted() -> None:
    udp = ports(53, 53, protocol=Protocol.UDP)
    found = (*ports(20, 22), *ports(24, 25), *ports(30, 30, CLOSED), *udp)
    kept, counted = collapse(found, (summary(100, 200),), frozenset({22}))
    assert [(port.protocol, port.number) for port in kept] == [(6, 22), (6, 30), (17, 53)]
    assert counted == (
        summary(100, 200),
        PortSummary(Protocol.TCP, OPEN, Reason.SYN_ACK, ((20, 21), (24, 25)), 4),
    )
    assert collapse(udp, (), frozenset()) == (udp, ())
