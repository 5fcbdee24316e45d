from __future__ import annotations

import pytest

from leadline.sim.server import MOST_HEARD, Act, ServerSide, reply_of
from leadline.sim.speech import UNEXPECTED_MESSAGE, Pour, Reply, SimTls, Then, TlsFault
from leadline.sim.tls_records import HELLO_REQUEST, NO_TLS, alert, client_hello, server_hello
from leadline.sim.world import SimService

HELLO = client_hello("")
TLS = SimTls(version="TLSv1.2", cipher="AES128-SHA")
SAID = server_hello(TLS.version, TLS.cipher, HELLO)


def test_silence() -> None:
    for service in (None, SimService(1)):
        server = ServerSide(service)
        assert server.begin() == []
        assert server.hear(b"hello") == []


def test_the_banner_and_what_follows_it() -> None:
    pour = Pour(b"x")
    service = SimService(1, banner=b"hi", banner_delay=0.5, after_banner=Then.CLOSE, pours=pour)
    assert ServerSide(service).begin() == [Act(0.5, b"hi", Then.CLOSE, pour)]
    assert ServerSide(SimService(1, after_banner=Then.CLOSE)).begin() == [Act(then=Then.CLOSE)]
    assert ServerSide(SimService(1, pours=pour)).begin() == [Act(pours=pour)]


def test_the_first_answer_that_fits_then_the_default() -> None:
    answers = (Reply(b"A", b"1", delay=0.25), Reply(b"AB", b"2"), Reply(b"C", b"3", Then.RESET))
    server = ServerSide(SimService(1, answers=answers, default=Reply(say=b"what?"), think=0.5))
    assert server.hear(b"AB") == [Act(0.75, b"1")]
    assert server.hear(b"C") == [Act(0.5, b"3", Then.RESET)]
    assert server.hear(b"D") == [Act(0.5, b"what?")]


def test_a_default_may_be_particular_too() -> None:
    assert reply_of(SimService(1, default=Reply(b"A", b"1")), b"B") == (None, b"")


def test_requests_in_pieces_are_put_together() -> None:
    server = ServerSide(SimService(1, answers=(Reply(b".*\r\n", b"ok", pattern=True),)))
    assert server.hear(b"HE") == []
    assert server.hear(b"LP\r\n") == [Act(data=b"ok")]
    assert server.hear(b"HE") == []


def test_memory_is_bounded() -> None:
    server = ServerSide(SimService(1, answers=(Reply(b".*\n", b"ok", pattern=True),)))
    for _ in range(20):
        assert server.hear(b"x" * 10_000) == []
    assert len(server._heard) == MOST_HEARD


def test_tls_from_the_first_byte_greets_after_the_handshake() -> None:
    server = ServerSide(SimService(1, banner=b"220", tls=TLS, think=0.1))
    assert server.begin() == []
    assert server.hear(HELLO) == [Act(0.1, SAID, secured=TLS)]
    assert server.finished() == [Act(data=b"220")]


def test_start_tls_does_not_greet_again() -> None:
    service = SimService(1, banner=b"220", answers=(Reply(b"STARTTLS", b"go", Then.TLS),), start_tls=TLS)
    server = ServerSide(service)
    server.begin()
    assert server.hear(b"STARTTLS") == [Act(data=b"go", then=Then.TLS)]
    assert server.hear(HELLO) == [Act(data=SAID, secured=TLS)]
    assert server.finished() == []
    assert server.hear(b"STARTTLS") == [Act(data=b"go", then=Then.TLS)]


def test_start_tls_without_tls_goes_on_in_the_clear() -> None:
    server = ServerSide(SimService(1, answers=(Reply(b"STARTTLS", b"go", Then.TLS), Reply(b"A", b"1"))))
    server.hear(b"STARTTLS")
    assert server.hear(b"A") == [Act(data=b"1")]


def test_plain_words_to_tls() -> None:
    web = ServerSide(SimService(1, tls=SimTls(plain=b"HTTP/1.1 400 Bad Request\r\n\r\n", delay=0.1)))
    assert web.hear(b"GET / HTTP/1.0\r\n\r\n") == [Act(0.1, b"HTTP/1.1 400 Bad Request\r\n\r\n", Then.CLOSE)]
    assert ServerSide(SimService(1, tls=TLS)).hear(b"HELP") == [Act(data=UNEXPECTED_MESSAGE, then=Then.CLOSE)]


def test_hellos_of_ssl_3_are_refused() -> None:
    old = b"\x16\x03\x00\x00\x57\x01\x00\x00\x53\x03\x00" + bytes(40)
    assert ServerSide(SimService(1, tls=TLS)).hear(old) == [Act(data=alert(70), then=Then.CLOSE)]


@pytest.mark.parametrize(
    ("fault", "acts"),
    [
        (TlsFault.SILENT, []),
        (TlsFault.CLOSE, [Act(then=Then.CLOSE)]),
        (TlsFault.RESET, [Act(then=Then.RESET)]),
        (TlsFault.ALERT, [Act(data=alert(40), then=Then.CLOSE)]),
        (TlsFault.GARBAGE, [Act(data=NO_TLS)]),
        (TlsFault.ENDLESS, [Act(data=HELLO_REQUEST, pours=Pour(HELLO_REQUEST, 1.0))]),
    ],
)
def test_faults_of_the_handshake(fault: TlsFault, acts: list[Act]) -> None:
    assert ServerSide(SimService(1, tls=SimTls(fault=fault))).hear(HELLO) == acts


def test_a_server_that_needs_a_name() -> None:
    service = SimService(1, tls=SimTls(needs_name=True))
    assert ServerSide(service).hear(HELLO) == [Act(data=alert(112), then=Then.CLOSE)]
    (act,) = ServerSide(service).hear(HELLO, "host.example")
    assert act.secured == service.tls


def test_the_end_of_patience() -> None:
    assert ServerSide(SimService(1, farewell=b"421")).idle() == [Act(data=b"421", then=Then.CLOSE)]
