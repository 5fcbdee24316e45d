from __future__ import annotations

import re

import pytest

from leadline.sim.speech import Echoing, Reply, Tagged, compiled


def test_a_reply_to_a_prefix() -> None:
    reply = Reply(b"GET ", b"200")
    assert reply.answer(b"GET / HTTP/1.0\r\n") == b"200"
    assert reply.answer(b"GE") is None
    assert Reply(say=b"whatever").answer(b"") == b"whatever"


def test_a_reply_to_a_pattern() -> None:
    reply = Reply(b"(GET|HEAD) .*\r\n\r\n", b"200", pattern=True)
    assert reply.answer(b"HEAD / HTTP/1.0\r\nHost: x\r\n\r\n") == b"200"
    assert reply.answer(b"HEAD / HTTP/1.0\r\n") is None
    assert reply.answer(b" GET / HTTP/1.0\r\n\r\n") is None


def test_an_echo_repeats_the_transaction_number() -> None:
    reply = Echoing(b"", b"\x00\x05\x81\x80", copied=(2, 4), place=2)
    assert reply.answer(b"\x00\x10\xab\xcdquestion") == b"\x00\x05\xab\xcd\x81\x80"
    assert reply.answer(b"\x00\x10\xab") is None
    assert Echoing(b"x", b"y").answer(b"abc") is None


def test_a_tag_comes_back() -> None:
    reply = Tagged(b"STARTTLS", b"OK begin")
    assert reply.answer(b"a1 starttls\r\n") == b"a1 OK begin"
    assert reply.answer(b"STARTTLS\r\n") is None


def test_values_are_equal_and_can_be_keys() -> None:
    assert len({Reply(b"a", b"b"), Reply(b"a", b"b"), Echoing(b"a", b"b"), Reply(b"a", b"c")}) == 3


def test_a_pattern_that_is_none_is_told() -> None:
    assert compiled(b"a.c") is compiled(b"a.c")
    with pytest.raises(re.error):
        Reply(b"(", pattern=True).answer(b"x")
