from leadline.model.port import Protocol
from leadline.services.agenda import Agenda
from leadline.services.commands import Close, Open, Send
from leadline.services.connections import Connections, addressed
from leadline.services.order import LISTENING, PatientOrder
from leadline.services.waiting import Waits
from tests.support.playbook import matcher

GET = b"GET / HTTP/1.0\r\n\r\n"
JUDGE = matcher()


def made(port: int = 80, name: str = "", told: list[str] | None = None) -> Connections:
    agenda = Agenda(PatientOrder(JUDGE.probes, port, Protocol.TCP, "", 7), Waits())
    trace = None if told is None else lambda at, text: told.append(text)
    return Connections(agenda, Waits(), JUDGE, name, trace)


def test_http_requests_name_the_host() -> None:
    assert addressed(GET, "www.example") == b"GET / HTTP/1.0\r\nHost: www.example\r\n\r\n"
    assert addressed(GET, "") == GET
    assert addressed(b"HELP\r\n", "www.example") == b"HELP\r\n"
    already = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    assert addressed(already, "www.example") == already


def test_a_probe_from_its_connection_to_its_end() -> None:
    told: list[str] = []
    lines = made(name="www.example", told=told)
    place, probe = next(one for one in lines.agenda.order.probes() if one[1].name == "GetRequest")
    lines.begin(place, probe, 1.0)
    assert lines.commands() == [Open(0)]
    assert place in lines.agenda.launched
    (run,) = lines.pending
    assert run.keep
    lines.say(run, 1.5)
    assert lines.commands() == [Send(0, b"GET / HTTP/1.0\r\nHost: www.example\r\n\r\n")]
    assert not lines.responsive
    run.hear(b"HTTP/1.0 200 OK\r\nServer: nginx/1\r\n", 2.0, JUDGE)
    assert lines.responsive
    lines.close(run, "no longer needed", 2.5)
    assert lines.commands() == [Close(0)]
    assert (run.outcome, run.ended, lines.pending) == ("match", 2.5, [])
    assert told == ["GetRequest: connecting", "GetRequest: 37 bytes sent", "GetRequest: match"]


def test_a_probe_on_the_connection_that_listened() -> None:
    lines = made()
    assert lines.agenda.order.null is not None
    lines.begin(LISTENING, lines.agenda.order.null, 0.0)
    (listener,) = lines.on(0)
    lines.say(listener, 0.1)
    place, probe = next(one for one in lines.agenda.order.probes() if one[1].name == "Help")
    lines.commands()
    lines.reuse(listener, place, probe, 2.0)
    assert lines.commands() == [Send(0, b"HELP\r\n")]
    assert listener.outcome == "silence"
    assert lines.timed_out
    (following,) = lines.on(0)
    assert following.until == 6.1  # the banner may still come
    lines.close_all("over", 3.0)
    assert lines.commands() == [Close(0)]


def test_what_was_learnt_counts_no_more_when_it_begins_anew() -> None:
    lines = made()
    assert lines.agenda.order.null is not None
    lines.begin(LISTENING, lines.agenda.order.null, 0.0)
    lines.close_all("TLS found", 1.0)
    agenda = made(443).agenda
    lines.begin_anew(agenda, "ssl")
    assert (len(lines.earlier), lines.runs, lines.tunnel) == (1, [], "ssl")
    lines.commands()
    lines.begin(LISTENING, lines.agenda.order.null or lines.earlier[0].probe, 2.0)
    assert lines.commands() == [Open(1, tls=True)]
