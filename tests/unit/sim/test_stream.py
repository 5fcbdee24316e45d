from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from leadline.model.service import Certificate, TlsFacts
from leadline.net.base import MOST_AT_ONCE, Ended, Opened, Received
from leadline.sim.faults import LinkFaults
from leadline.sim.speech import Pour, Reply, SimTls, Then, TlsFault
from leadline.sim.world import SimService
from tests.support.sim_dialogue import ROUND, Talk

CERTIFICATE = Certificate(subject="CN=host.example", names=("host.example",), sha256="ab" * 32)
TLS = SimTls(CERTIFICATE)
ASK = Reply(b"?", b"!")
OPENED = ("opened",)


def test_question_and_answer() -> None:
    talk = Talk(SimService(1, banner=b"hi", answers=(ASK, Reply(b"QUIT", b"bye", Then.CLOSE)), think=0.1))
    talk.open(1)
    talk.run(0.1)
    assert talk.say(1, b"?", b"QUIT") == [
        OPENED,
        ("received", b"hi"),
        ("received", b"!"),
        ("received", b"bye"),
        ("ended", "stream", 0),
    ]
    assert talk.times(1)[2] == pytest.approx(0.1 + ROUND + 0.1, abs=0.003)


def test_a_busy_server_hears_one_thing_after_the_other() -> None:
    talk = Talk(SimService(1, banner=b"hi", banner_delay=1.0, answers=(Reply(b"?", b"!", delay=0.5),)))
    talk.open(1)
    talk.run(0.1)
    for _ in range(3):
        talk.dialer.send(1, b"?")
    talk.run(5.0)
    assert talk.heard(1) == [OPENED, ("received", b"hi"), *[("received", b"!")] * 3]
    assert [round(at, 1) for at in talk.times(1)[1:]] == [1.0, 1.5, 2.0, 2.5]


def test_long_answers_come_in_pieces() -> None:
    talk = Talk(SimService(1, banner=b"x" * (MOST_AT_ONCE + 5)))
    talk.open(1)
    talk.run()
    assert [len(data) for _, data in talk.heard(1)[1:]] == [MOST_AT_ONCE, 5]  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("service", "ending"),
    [
        (SimService(1, after_banner=Then.CLOSE), ("ended", "stream", 0)),
        (SimService(1, after_banner=Then.RESET), ("ended", "stream", errno.ECONNRESET)),
    ],
)
def test_wrapped_ports(service: SimService, ending: object) -> None:
    talk = Talk(service)
    talk.open(1)
    assert talk.say(1, b"never heard") == [OPENED, ending]


def test_a_reset_in_the_middle_of_an_answer() -> None:
    talk = Talk(SimService(1, answers=(Reply(b"?", b"half an ans", Then.RESET),)))
    talk.open(1)
    assert talk.say(1, b"?", b"?") == [OPENED, ("received", b"half an ans"), ("ended", "stream", errno.ECONNRESET)]


def test_patience_ends() -> None:
    talk = Talk(SimService(1, answers=(ASK,), idle=5.0, farewell=b"timeout"))
    talk.open(1)
    talk.run(3.0)
    talk.say(1, b"?", pause=10.0)
    assert talk.heard(1)[1:] == [("received", b"!"), ("received", b"timeout"), ("ended", "stream", 0)]
    assert talk.times(1)[-1] == pytest.approx(8.0, abs=0.1)


def test_who_has_left_is_not_waited_for() -> None:
    talk = Talk(SimService(1, idle=5.0))
    talk.open(1)
    talk.run(1.0)
    talk.dialer.close(1)
    talk.run(20.0)
    assert talk.heard(1) == [OPENED]


def test_a_trickle() -> None:
    talk = Talk(SimService(1, banner=b"a", pours=Pour(b"x", 1.0)))
    talk.open(1)
    talk.run(60.5)
    assert talk.heard(1) == [OPENED, ("received", b"a"), *[("received", b"x")] * 60]
    talk.dialer.close(1)
    talk.run(10.0)
    assert len(talk.heard(1)) == 62


def test_a_flood_is_as_fast_as_a_window_a_round_trip() -> None:
    talk = Talk(SimService(1, pours=Pour(b"x" * 65536, 0.0)))
    talk.open(1)
    talk.run(2.0)
    assert 30 < len(talk.heard(1)) <= 2.0 / ROUND


def test_a_flood_waits_for_its_reader() -> None:
    talk = Talk(SimService(1, pours=Pour(b"x" * 65536, 0.0)))
    talk.open(1)
    talk.run(0.1)
    talk.network.clock.advance(60.0)
    assert len(talk.dialer.poll(0.0)) <= 2


def test_a_hundred_megabytes_and_the_end() -> None:
    size = 100_000_000
    answers = (Reply(b"GET", b"HTTP/1.0 200 OK\r\n\r\n", Then.CLOSE, pours=Pour(b"x" * 65536, 0.0, size)),)
    talk = Talk(SimService(1, answers=answers), faults=LinkFaults(latency=0.001))
    talk.open(1)
    talk.run(0.1)
    talk.dialer.send(1, b"GET")
    total, last = 0, None
    for _ in range(5000):
        for event in talk.dialer.poll(0.1):
            total += len(event.data) if isinstance(event, Received) else 0
            last = event
        if isinstance(last, Ended):
            break
    assert total == size + 19
    assert isinstance(last, Ended)
    assert last.error == 0


def test_two_pouring_answers_on_one_connection() -> None:
    talk = Talk(SimService(1, answers=(Reply(b"?", pours=Pour(b"ab", 0.5, 3)),)))
    talk.open(1)
    talk.say(1, b"?", b"?", pause=3.0)
    assert talk.heard(1)[1:] == [("received", b"ab"), ("received", b"a")] * 2


def test_one_at_a_time() -> None:
    talk = Talk(SimService(1, banner=b"hi", answers=(ASK,), workers=1))
    for token in (1, 2, 3):
        talk.open(token, 1)
    talk.dialer.send(2, b"?")
    talk.run()
    assert [talk.heard(token) for token in (1, 2, 3)] == [[OPENED, ("received", b"hi")], [OPENED], [OPENED]]
    talk.dialer.close(3)
    talk.dialer.close(1)
    talk.run()
    assert talk.heard(2) == [OPENED, ("received", b"hi"), ("received", b"!")]
    assert talk.heard(3) == [OPENED]


def test_one_at_a_time_goes_on_when_the_server_closes() -> None:
    talk = Talk(SimService(1, banner=b"hi", banner_delay=1.0, after_banner=Then.CLOSE, workers=1))
    for token in (1, 2, 3):
        talk.open(token, 1)
    talk.run(5.0)
    assert [round(talk.times(token)[-1]) for token in (1, 2, 3)] == [1, 2, 3]


def test_too_many_at_once() -> None:
    talk = Talk(SimService(1, banner=b"hi", most_open=2, overfull=b"421 too many\r\n"))
    for token in (1, 2, 3):
        talk.open(token, 1)
        talk.run(0.1)
    assert talk.heard(3) == [OPENED, ("received", b"421 too many\r\n"), ("ended", "stream", 0)]
    talk.dialer.close(1)
    talk.run(0.1)
    talk.open(4, 1)
    talk.run()
    assert talk.heard(4) == [OPENED, ("received", b"hi")]


@pytest.mark.parametrize(("version", "rounds"), [("TLSv1.3", 2), ("TLSv1.2", 3)])
def test_tls_from_the_first_byte(version: str, rounds: int) -> None:
    tls = replace(TLS, version=version, delay=0.005)
    talk = Talk(SimService(1, banner=b"220 hi", answers=(ASK,), tls=tls))
    talk.open(1, tls=True, name="host.example")
    talk.dialer.send(1, b"?")
    talk.run()
    assert talk.heard(1) == [OPENED, ("received", b"220 hi"), ("received", b"!")]
    opened = talk.events[0]
    assert isinstance(opened, Opened)
    assert opened.tls == TlsFacts(version, tls.cipher, CERTIFICATE)
    assert talk.times(1)[0] == pytest.approx(rounds * ROUND + 0.005, abs=0.002)


def test_start_tls() -> None:
    answers = (Reply(b"STARTTLS", b"220 go", Then.TLS), Reply(b"EHLO", b"250 ok"))
    talk = Talk(SimService(1, banner=b"220 hi", answers=answers, start_tls=TLS))
    talk.open(1)
    talk.run(0.1)
    talk.say(1, b"EHLO x", b"STARTTLS")
    talk.dialer.start_tls(1, "host.example")
    talk.say(1, b"EHLO again")
    assert talk.heard(1) == [
        OPENED,
        ("received", b"220 hi"),
        ("received", b"250 ok"),
        ("received", b"220 go"),
        OPENED,
        ("received", b"250 ok"),
    ]
    assert [event.tls for event in talk.events if isinstance(event, Opened)][1] == TlsFacts(
        "TLSv1.3", TLS.cipher, CERTIFICATE
    )


PLAIN = SimService(1, banner=b"SSH-2.0-x\r\n")
WEB = SimService(1, default=Reply(say=b"HTTP/1.1 400 Bad Request\r\n\r\n", then=Then.CLOSE))


@pytest.mark.parametrize(
    ("service", "error", "message"),
    [
        (PLAIN, errno.EPROTO, "wrong version number"),
        (WEB, errno.EPROTO, "wrong version number"),
        (SimService(1, after_banner=Then.CLOSE), 0, "closed during the handshake"),
        (SimService(1, tls=SimTls(fault=TlsFault.RESET)), errno.ECONNRESET, "Connection reset by peer"),
        (SimService(1, tls=SimTls(fault=TlsFault.CLOSE)), 0, "closed during the handshake"),
        (SimService(1, tls=SimTls(fault=TlsFault.ALERT)), errno.EPROTO, "sslv3 alert handshake failure"),
        (SimService(1, tls=SimTls(fault=TlsFault.GARBAGE)), errno.EPROTO, "wrong version number"),
        (SimService(1, tls=SimTls(needs_name=True)), errno.EPROTO, "tlsv1 unrecognized name"),
    ],
)
def test_handshakes_that_fail(service: SimService, error: int, message: str) -> None:
    talk = Talk(service)
    talk.open(1, tls=True)
    talk.run(2.0)
    assert talk.heard(1) == [("ended", "tls", error)]
    assert talk.last(1).message == message  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", [TlsFault.SILENT, TlsFault.ENDLESS])
def test_handshakes_that_never_end(fault: TlsFault) -> None:
    talk = Talk(SimService(1, tls=SimTls(fault=fault)))
    talk.open(1, tls=True)
    talk.run(600.0)
    assert talk.events == []
    talk.dialer.close(1)
    talk.run(5.0)
    assert talk.dialer._agenda.next_time() is None


def test_a_handshake_that_is_given_up() -> None:
    talk = Talk(SimService(1, tls=replace(TLS, version="TLSv1.2"), banner=b"hi"))
    talk.open(1, tls=True)
    talk.run(2.5 * ROUND)
    talk.dialer.close(1)
    talk.run()
    assert talk.events == []


def test_a_server_that_loses_patience_in_the_handshake() -> None:
    talk = Talk(SimService(1, banner=b"hi", tls=replace(TLS, version="TLSv1.2"), idle=0.75 * ROUND))
    talk.open(1, tls=True)
    talk.run(5.0)
    assert talk.heard(1) == [("ended", "tls", 0)]


def test_a_failed_client_leaves_the_server_too() -> None:
    talk = Talk(replace(PLAIN, workers=1))
    talk.open(1, 1, tls=True)
    talk.open(2, 1)
    talk.run()
    assert talk.heard(2) == [OPENED, ("received", PLAIN.banner)]


def test_a_reset_ends_the_inbox() -> None:
    talk = Talk(SimService(1, answers=(Reply(b"?", b"!", Then.CLOSE, delay=1.0),)))
    talk.open(1)
    talk.run(0.1)
    talk.dialer.send(1, b"?")
    talk.dialer.send(1, b"?")
    talk.run(5.0)
    assert talk.heard(1) == [OPENED, ("received", b"!"), ("ended", "stream", 0)]
