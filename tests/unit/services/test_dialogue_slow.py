"""Servers that take seconds: their banner and the answer to the likeliest probe are given the file's whole time."""

from __future__ import annotations

from heapq import heappop, heappush

from leadline.services.commands import Close, Open, Send
from leadline.services.dialogue import Dialogue
from tests.support.playbook import RTT, dialogue
from tests.unit.services.test_dialogue import GET, NGINX, verdict

SSH = b"SSH-2.0-OpenSSH_9.2\r\n"


def slow(talk: Dialogue, answers: dict[bytes, tuple[float, bytes]], longest: float = 60.0) -> float:
    """Serve every connection: ``answers`` has, by what was said (nothing: the banner), seconds and bytes."""
    now, serial = 0.0, 0
    happenings: list[tuple[float, int, int, bytes]] = []
    live: set[int] = set()

    def later(seconds: float, stream: int, data: bytes) -> None:
        nonlocal serial
        serial += 1
        heappush(happenings, (now + seconds, serial, stream, data))

    talk.start(now)
    while not talk.done:
        for command in talk.commands():
            match command:
                case Open(stream=stream):
                    live.add(stream)
                    talk.begun(stream, now)
                    later(RTT, stream, b"")
                    if b"" in answers:
                        later(*_for(answers[b""], stream))
                case Send(stream=stream, data=data) if data in answers:
                    later(*_for(answers[data], stream))
                case Close(stream=stream):
                    live.discard(stream)
        timer = talk.next_timer()
        if happenings and (timer is None or happenings[0][0] <= timer):
            now, _, stream, data = heappop(happenings)
            if stream in live:
                if data:
                    talk.received(stream, data, now)
                else:
                    talk.opened(stream, None, now)
        else:
            assert timer is not None
            now = timer
            talk.advance(now)
        assert now < longest
    return now


def _for(answer: tuple[float, bytes], stream: int) -> tuple[float, int, bytes]:
    return answer[0], stream, answer[1]


def test_a_banner_that_takes_seconds_is_heard() -> None:
    """Mail servers that look up names, or delay their greeting on purpose: 5 s are usual."""
    for port in (80, 7777):
        for seconds in (1.0, 3.0, 5.0, 5.8):
            talk = dialogue(port)
            assert slow(talk, {b"": (seconds, SSH)}) < 8
            assert verdict(talk) == ("match", "OpenSSH", "9.2"), (port, seconds)


def test_the_likeliest_probe_has_its_whole_time() -> None:
    for seconds in (1.0, 3.0, 4.5):
        talk = dialogue(80)
        assert slow(talk, {GET: (seconds, NGINX)}) < 8
        assert verdict(talk) == ("match", "nginx", "1.22.1"), seconds


def test_who_answers_slowly_may_do_so_once_more() -> None:
    """The first answer is a softmatch only; what tells the product takes as long."""
    talk = dialogue(7777)
    answers = {b"\r\n\r\n": (1.9, b"what?\r\n"), GET: (3.0, NGINX)}
    slow(talk, answers)
    assert verdict(talk) == ("match", "nginx", "1.22.1")
