"""Servers that take seconds: their banner and the answer to the likeliest probe are given the file's whole time."""

from __future__ import annotations

from leadline.services.dialogue import Dialogue
from tests.support.playbook import dialogue, serve
from tests.unit.services.test_dialogue import GET, NGINX, verdict

SSH = b"SSH-2.0-OpenSSH_9.2\r\n"


def slow(talk: Dialogue, answers: dict[bytes, tuple[float, bytes]], longest: float = 60.0) -> float:
    """Serve every connection: ``answers`` has, by what was said (nothing: the banner), seconds and bytes."""
    return serve(talk, lambda heard: [answers[heard]] if heard in answers else [], longest=longest)


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
