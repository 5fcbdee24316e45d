import errno

import pytest

from leadline.net.base import Ended
from leadline.services.order import LISTENING
from leadline.services.run import MOST_KEPT, MOST_RECEIVED, Run, ending
from leadline.services.waiting import Waits
from tests.support.playbook import matcher

JUDGE = matcher()


def run(name: str = "GetRequest", **fields: object) -> Run:
    probe = next(probe for probe in JUDGE.probes.probes if probe.name == name)
    return Run((1, 2), probe, 0, "", 0.0, **fields)  # type: ignore[arg-type]


def test_silence_counts_from_the_last_sign_of_life() -> None:
    one = run()
    assert one.silence(5.0) == 0.0
    one.begun = 1.0
    assert one.silence(5.0) == pytest.approx(4.0, abs=1e-3)
    one.spoke = 2.0
    assert one.silence(5.0) == pytest.approx(3.0, abs=1e-3)
    one.hear(b"x", 4.0, JUDGE)
    assert one.silence(5.0) == pytest.approx(1.0, abs=1e-3)


def test_a_hard_match_stays_and_becomes_more_exact() -> None:
    one = run(begun=0.0, spoke=0.0)
    one.hear(b"HTTP/1.1 200 OK\r\n", 1.0, JUDGE)
    assert one.soft is not None
    assert one.hard is None
    one.hear(b"Server: nginx/1.2\r\n\r\n", 2.0, JUDGE)
    one.hear(b"The app", 3.0, JUDGE)
    assert one.hard is not None
    assert (one.hard.product, one.matched) == ("nginx", 2.0)


def test_it_is_stale_when_nothing_comes() -> None:
    waits, one = Waits(), run()
    assert not one.stale(9.0, waits, 0.0)  # not connected yet: nothing was said
    one.begun = one.spoke = 1.0
    assert not one.stale(1.2, waits, 0.0)
    assert one.stale(1.3, waits, 0.0)
    one.hear(b"?", 1.3, JUDGE)
    assert not one.stale(1.35, waits, 0.0)
    assert one.stale(1.41, waits, 0.0)


def test_settled_is_not_the_same_as_waiting_for_room() -> None:
    one = run()
    assert not one.settled(100.0, 0.1)
    one.begun = 99.0
    assert one.settled(100.0, 0.1)


def test_many_small_pieces_are_not_matched_each_time() -> None:
    looks = 0

    class Counting:
        def match(self, *_: object, **__: object) -> None:
            nonlocal looks
            looks += 1

    one = run(begun=0.0, spoke=0.0)
    for _ in range(5000):
        one.hear(b"x", 1.0, Counting())
    assert looks < 70
    one.look(2.0, Counting())
    one.look(2.0, Counting())
    assert one.total == 5000


def test_a_flood_is_cut() -> None:
    one = run(begun=0.0, spoke=0.0)
    assert not one.hear(b"x" * 100_000, 1.0, JUDGE)
    assert len(one.received) == MOST_RECEIVED
    assert one.total == 100_000
    assert len(one.exchange(0.0, 2.0).received) == MOST_KEPT
    one.finish("answer cut", 2.0)
    assert len(one.received) == MOST_KEPT
    assert one.exchange(0.0, 2.0).total == 100_000


@pytest.mark.parametrize(
    ("data", "outcome", "told"),
    [
        (b"", "silence", "silence"),
        (b"", "reset", "reset"),
        (b"?", "silence", "no match"),
        (b"?", "closed", "no match, then closed"),
        (b"HTTP/1.0 200 OK\r\n", "closed", "soft match"),
        (b"HTTP/1.0 200 OK\r\nServer: nginx/1\r\n", "closed", "match"),
    ],
)
def test_outcomes_in_words(data: bytes, outcome: str, told: str) -> None:
    one = run(begun=0.0, spoke=0.0)
    if data:
        one.hear(data, 0.5, JUDGE)
    one.finish(outcome, 1.0)
    assert one.over
    exchange = one.exchange(0.0, 9.0)
    assert (exchange.outcome, exchange.seconds, exchange.total) == (told, 1.0, len(data))


def test_what_goes_on_is_told_as_that() -> None:
    one = run("NULL", begun=3.0)
    exchange = one.exchange(1.0, 5.0)
    assert (exchange.at, exchange.seconds, exchange.outcome, exchange.sent) == (2.0, 2.0, "not finished", b"")
    assert not one.listening
    one.place = LISTENING
    assert one.listening


@pytest.mark.parametrize(
    ("phase", "error", "message", "words", "passing"),
    [
        ("stream", 0, "", "closed", True),
        ("stream", errno.ECONNRESET, "", "reset", True),
        ("stream", errno.ECONNREFUSED, "", "connection refused", True),
        ("stream", errno.EHOSTUNREACH, "", "host unreachable", False),
        ("connect", errno.ECONNREFUSED, "", "connection refused", False),
        ("connect", errno.ETIMEDOUT, "", "connection timed out", False),
        ("tls", errno.EPROTO, "wrong version number", "TLS handshake failed: wrong version number", False),
        ("proxy", errno.ECONNREFUSED, "", "refused by the proxy: connection refused", False),
        ("stream", 9999, "", "failed", False),
    ],
)
def test_endings(phase: str, error: int, message: str, words: str, passing: bool) -> None:
    assert ending(Ended(0, 1.0, phase, error, message)) == (words, passing)
