"""The overlapped dialogue and the patient one reach the same verdict, and every dialogue ends within bounds."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.net.base import Ended
from leadline.services.commands import Close, Open
from leadline.services.connections import addressed
from leadline.services.dialogue import Dialogue
from leadline.services.waiting import Waits
from tests.support.playbook import PATIENT, dialogue, matcher, serve

PAYLOADS = {addressed(probe.payload, ""): probe.name for probe in matcher().probes.probes}
ANSWERS = (
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"220 an FTP server\r\n",
    b"220 mail ESMTP Postfix\r\n",
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.2\r\n\r\n",
    b"HTTP/1.1 400 Bad\r\n\r\n",
    b"E: line\n",
    b"214-Commands of Exact FTP 1\r\n",
    b"H: help\n",
    b"RARE",
    b"what?\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"\x16\x03\x03server hello",
)


@dataclass(frozen=True)
class Says:
    """To one probe: ``data`` after ``delay`` seconds (none: silence), then perhaps the end."""

    data: bytes
    delay: float
    closes: bool


says = st.builds(Says, st.sampled_from((b"", *ANSWERS)), st.sampled_from((0.0, 0.013, 0.037)), st.booleans())
servers = st.fixed_dictionaries(
    {"NULL": says} | dict.fromkeys(("GenericLines", "GetRequest", "Help", "TLSSessionReq"), says)
)


def converse(talk: Dialogue, server: dict[str, Says], most: int) -> float:
    """Let a server that treats every connection alike answer; gives the seconds that it took."""

    def says(heard: bytes) -> Iterator[tuple[float, bytes | None]]:
        said = server[PAYLOADS[heard]]
        if said.data:
            yield said.delay, said.data
        if said.closes:
            yield said.delay + 0.0007, None

    return serve(talk, says, most, 120)


def told(talk: Dialogue) -> tuple[str, str, str, str]:
    assert talk.verdict is not None
    match = talk.verdict.match
    kind = talk.verdict.kind
    return kind, talk.verdict.tunnel, match.rule.place if match else "", match.product if match else ""


@settings(max_examples=200, deadline=None)
@given(servers, st.sampled_from((22, 21, 80, 443, 7777)))
def test_the_verdict_is_the_patient_one(server: dict[str, Says], port: int) -> None:
    patient, eager = dialogue(port, waits=PATIENT), dialogue(port)
    slow = converse(patient, server, 1)
    fast = converse(eager, server, 4)
    if server["NULL"].closes and not server["NULL"].data:
        # A port that hangs up unasked: who was answered before that knows more than the patient one.
        assert told(eager) == told(patient) or any(run.total for run in eager.history)
        return
    assert told(eager) == told(patient)
    assert fast <= slow + 0.7


events = st.lists(
    st.one_of(
        st.tuples(st.just("open"), st.integers(0, 5)),
        st.tuples(st.just("data"), st.integers(0, 5), st.sampled_from(ANSWERS) | st.binary(min_size=1, max_size=50)),
        st.tuples(
            st.just("end"),
            st.integers(0, 5),
            st.sampled_from((0, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.EPIPE)),
            st.sampled_from(("connect", "tls", "stream", "proxy")),
        ),
        st.tuples(st.just("time"), st.floats(0.0, 3.0)),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(events, st.sampled_from((22, 80, 443, 7777)), st.sampled_from((Waits(), PATIENT, Waits(streams=2))))
def test_whatever_happens_it_ends(happenings: list[tuple[object, ...]], port: int, waits: Waits) -> None:
    talk = dialogue(port, waits=waits)
    now = 0.0
    talk.start(now)
    opened: set[int] = set()
    live: set[int] = set()

    def carry_out() -> None:
        for command in talk.commands():
            if isinstance(command, Open):
                live.add(command.stream)
                talk.begun(command.stream, now)
            elif isinstance(command, Close):
                live.discard(command.stream)

    carry_out()
    for kind, *rest in happenings:
        now += 0.001
        if kind == "time":
            assert isinstance(rest[0], float)
            now += rest[0]
            talk.advance(now)
        elif rest[0] in live:
            stream = rest[0]
            assert isinstance(stream, int)
            if kind == "open" and stream not in opened:
                opened.add(stream)
                talk.opened(stream, None, now)
            elif kind == "data" and stream in opened:
                assert isinstance(rest[1], bytes)
                talk.received(stream, rest[1], now)
            elif kind == "end":
                live.discard(stream)
                assert isinstance(rest[1], int)
                talk.ended(stream, Ended(0, now, str(rest[2]), rest[1]), now)
        carry_out()
    for _ in range(2000):
        if talk.done:
            break
        timer = talk.next_timer()
        assert timer is not None
        now = max(now, timer)
        talk.advance(now)
        carry_out()
    assert talk.done
    assert not live
