"""Where the second connection would change the verdict: wrapped ports, servers that take one client, TLS, patience."""

import errno

from leadline.services.commands import Close, Open, Send
from leadline.services.dialogue import Dialogue
from leadline.services.waiting import Waits
from tests.support.playbook import HELLO, PATIENT, Playbook, dialogue, listening
from tests.unit.services.test_dialogue import GET, NGINX, verdict


def test_accepted_and_closed_at_once_is_wrapped() -> None:
    talk, play = listening(7777)
    play.ended(0)
    assert verdict(talk)[0] == "tcpwrapped"


def test_a_reset_is_as_good_as_an_end() -> None:
    talk, play = listening(7777)
    play.ended(0, errno.ECONNRESET)
    assert verdict(talk)[0] == "tcpwrapped"


def test_wrapped_is_verified_without_the_second_connection() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.ended(0)
    assert not talk.done
    assert play.ended(1) == [Open(2)]
    assert play.opened(2) == []
    play.ended(2)
    assert verdict(talk)[0] == "tcpwrapped"


def test_a_server_that_closes_when_there_are_two_is_asked_one_by_one() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.ended(0)
    assert play.ended(1) == [Open(2)]
    play.opened(2)
    # Alone the connection stays open: silence, and then the probe is said on it.
    commands = []
    while not commands:
        commands = play.at(play.now + 1)
    assert commands == [Send(2, GET)]
    play.received(2, NGINX)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_who_answers_the_probe_is_not_wrapped() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.received(1, NGINX)
    play.ended(0)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_closed_after_a_long_silence_is_not_wrapped() -> None:
    talk, play = listening(7777)
    while play.now < 3.5:
        for command in play.at(min(3.5, play.now + 0.5)):
            if isinstance(command, Open):
                play.opened(command.stream)
    play.ended(0)
    assert not talk.done
    assert talk.runs[0].outcome in ("closed", "silence")


def test_a_second_connection_that_is_refused_makes_it_patient() -> None:
    talk = dialogue(80)
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == [Open(1)]
    assert play.refused(1) == []
    commands = []
    while not commands:
        commands = play.at(play.now + 1)
    assert play.now >= 6
    assert commands == [Send(0, GET)]
    play.received(0, NGINX)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_a_server_that_never_looks_at_the_second_connection_hears_the_probe_on_the_first() -> None:
    talk, play = listening(80)
    play.opened(1)
    said = False
    while not said:
        for command in play.at(play.now + 0.1):
            if isinstance(command, Open):
                play.opened(command.stream)
            said = said or command == Send(0, GET)
        assert play.now < 3
    play.received(0, NGINX)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


class OneAtATime:
    """A server that looks at a connection only when the one before it is closed; speaks TLS or answers probes."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self.answers = answers

    def serve(self, talk: Dialogue) -> float:
        play = Playbook(talk)
        queue: list[int] = []
        said: dict[int, bytes] = {}
        todo = play.commands()
        while not talk.done:
            while todo:
                match todo.pop(0):
                    case Open(stream=stream, tls=tls):
                        queue.append(stream)
                        if not tls or queue[0] == stream:
                            todo += play.opened(stream, tls)
                    case Send(stream=stream, data=data):
                        said[stream] = data
                    case Close(stream=stream):
                        queue.remove(stream)
            if queue and (data := said.pop(queue[0], b"")) in self.answers and data:
                todo += play.received(queue[0], self.answers[data])
            else:
                todo += play.at(play.now + 0.1)
            assert play.now < 60
        return play.now


def test_a_serial_server_on_any_port_is_found_by_the_common_probes() -> None:
    talk = dialogue(7777)
    seconds = OneAtATime({GET: NGINX}).serve(talk)
    assert verdict(talk) == ("match", "nginx", "1.22.1")
    assert seconds < 8
    assert any(run.outcome == "silence" for run in talk.history)


def test_a_serial_server_is_spoken_to_through_tls() -> None:
    talk = dialogue(7777)
    seconds = OneAtATime({HELLO: b"\x16\x03\x03", GET: NGINX}).serve(talk)
    assert talk.verdict is not None
    assert talk.verdict.tunnel in ("", "ssl")
    assert verdict(talk) == ("match", "nginx", "1.22.1")
    assert seconds < 15


def test_a_silent_service_is_not_asked_alone_for_ever() -> None:
    talk = dialogue(7777)
    seconds = OneAtATime({}).serve(talk)
    assert verdict(talk)[0] == "no match"
    assert seconds < 25


def test_the_first_connection_is_refused() -> None:
    talk = dialogue(80)
    play = Playbook(talk)
    play.commands()
    play.refused(0)
    assert verdict(talk)[0] == "incomplete"
    assert talk.verdict is not None
    assert talk.verdict.reason == "connection refused"


def test_the_first_connection_never_opens() -> None:
    talk = dialogue(80)
    play = Playbook(talk)
    play.commands()
    play.at(5.1)
    assert verdict(talk)[0] == "incomplete"
    assert talk.history[0].outcome == "connection timed out"


def test_a_way_that_is_gone_ends_it() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.ended(1, errno.EHOSTUNREACH)
    assert verdict(talk)[0] == "incomplete"


def test_tls_is_entered_and_all_begins_anew() -> None:
    talk = dialogue(443)
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == [Open(1)]
    play.opened(1)
    play.received(1, b"\x16\x03\x03\x00\x7aserver hello")
    commands = []
    while Open(2, tls=True) not in commands:
        commands = play.at(play.now + 0.05)
    assert commands == [Close(0), Close(1), Open(2, tls=True)]
    assert play.opened(2, tls=True) == [Open(3, tls=True)]
    assert play.opened(3, tls=True) == [Send(3, GET)]
    play.received(3, NGINX)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")
    assert talk.verdict is not None
    assert talk.verdict.tunnel == "ssl"
    assert talk.verdict.tls is not None
    assert [run.tunnel for run in talk.history] == ["", "", "ssl", "ssl"]


def test_tls_that_fails_is_told() -> None:
    talk, play = listening(443)
    play.opened(1)
    play.received(1, b"\x16\x03\x03")
    while not any(isinstance(command, Open) for command in play.at(play.now + 0.05)):
        pass
    play.ended(2, errno.EPROTO, "tls")
    assert verdict(talk)[0] == "incomplete"
    assert talk.verdict is not None
    assert (talk.verdict.tunnel, talk.verdict.reason) == ("ssl", "TLS handshake failed: EPROTO")


def test_an_endless_handshake_ends() -> None:
    talk, play = listening(443)
    play.opened(1)
    play.received(1, b"\x16\x03\x03")
    while not talk.done:
        play.at(play.now + 0.5)
    assert play.now < 9
    assert talk.verdict is not None
    assert talk.verdict.reason == "TLS handshake timed out"


def test_bytes_that_look_like_tls_bring_the_tls_probe_forward() -> None:
    talk, play = listening(7777)
    play.at(0.3)
    play.opened(1)
    play.opened(2)
    play.received(1, b"\x15\x03\x01\x00\x02\x02\x46")
    play.ended(1)
    while "TLSSessionReq" not in [run.probe.name for run in talk.runs]:
        play.at(play.now + 0.05)
        assert play.now < 1


def test_patience_is_nmaps_order_and_waits() -> None:
    talk = dialogue(80, waits=PATIENT)
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == []
    commands = []
    while not commands:
        commands = play.at(play.now + 0.5)
    assert play.now >= 6
    assert commands == [Send(0, GET)]
    assert [run.probe.name for run in talk.runs] == ["NULL", "GetRequest"]
    play.received(0, b"what?\n")
    play.ended(0)
    commands = play.commands()
    assert len([run for run in talk.runs if not run.over]) == 1
    assert talk.runs[-1].probe.name == "GenericLines"


def test_never_more_connections_than_allowed() -> None:
    for streams in (1, 2, 3, 4):
        talk = dialogue(7777, intensity=9, waits=Waits(streams=streams, patient=streams == 1))
        play = Playbook(talk)
        live = {command.stream for command in play.commands() if isinstance(command, Open)}
        pending = list(live)
        while not talk.done:
            for stream in pending:
                play.opened(stream)
            pending = []
            for command in play.at(play.now + 0.5):
                if isinstance(command, Open):
                    live.add(command.stream)
                    pending.append(command.stream)
                if isinstance(command, Close):
                    live.discard(command.stream)
            assert len(live) <= streams
            assert play.now < 60
        assert verdict(talk)[0] == "no match"


def test_reset_before_the_connection_was_looked_at_is_wrapped() -> None:
    talk = dialogue(7777)
    play = Playbook(talk)
    play.commands()
    play.ended(0, errno.ECONNRESET, "connect")
    assert verdict(talk)[0] == "tcpwrapped"


def test_every_connection_closed_without_a_word_is_wrapped_whenever_that_is() -> None:
    talk = dialogue(7777, intensity=1, waits=PATIENT)
    play = Playbook(talk)
    todo = play.commands()
    while not talk.done:
        for command in todo:
            if isinstance(command, Open):
                play.opened(command.stream)
                play.at(play.now + 4.0)
                todo = play.ended(command.stream)
    assert [run.outcome for run in talk.history] == ["closed"] * 4
    assert verdict(talk)[0] == "tcpwrapped"


def test_what_we_say_elsewhere_proves_nothing() -> None:
    """A broker gives to every client what another one says."""
    talk, play = listening(443)
    assert play.opened(1) == [Send(1, HELLO)]
    assert play.received(0, HELLO) == [Close(0), Close(1), Open(2)]
    assert play.opened(2) == []
    commands = []
    while not commands:
        commands = play.at(play.now + 1)
    assert commands == [Send(2, HELLO)]
    assert [run.outcome for run in talk.history][:2] == ["heard another connection of ours"] * 2


def test_an_echo_of_the_probe_itself_is_an_answer() -> None:
    talk, play = listening(7)
    play.opened(1)
    play.received(1, b"\r\n\r\n")
    play.at(play.now + 0.3)
    assert talk.verdict is not None
    assert talk.verdict.match is not None
    assert talk.verdict.match.service == "echo"


def test_a_serial_server_that_hangs_up_on_the_silent_answers_the_next_one() -> None:
    talk, play = listening(80)
    play.opened(1)
    while play.now < 0.5:
        for command in play.at(min(0.5, play.now + 0.1)):
            if isinstance(command, Open):
                play.opened(command.stream)
    play.ended(0, errno.ECONNRESET)
    assert not talk.done
    play.received(1, NGINX)
    play.at(play.now + 0.5)
    assert verdict(talk) == ("match", "nginx", "1.22.1")
