from dataclasses import replace

from leadline.services.commands import Close, Open, Send
from leadline.services.dialogue import Dialogue, Subject, completed
from leadline.services.waiting import Waits
from tests.support.playbook import PATIENT, RULES, Playbook, dialogue, listening, matcher, serve

SSH = b"SSH-2.0-OpenSSH_9.2\r\n"
NGINX = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\nhello"
GET = b"GET / HTTP/1.0\r\n\r\n"


def verdict(talk: Dialogue) -> tuple[str, str, str]:
    assert talk.verdict is not None
    match = talk.verdict.match
    return talk.verdict.kind, match.product if match else "", match.version if match else ""


def test_a_banner_decides_without_a_word() -> None:
    talk = dialogue(22)
    play = Playbook(talk)
    assert play.commands() == [Open(0)]
    assert play.opened(0) == []
    assert play.received(0, SSH) == []
    assert play.at(play.now + 0.02) == [Close(0)]
    assert verdict(talk) == ("match", "OpenSSH", "9.2")
    assert [run.outcome for run in talk.history] == ["match"]


def test_the_likeliest_probe_goes_out_at_once_on_a_second_connection() -> None:
    talk = dialogue(80)
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == [Open(1)]
    assert play.opened(1) == [Send(1, GET)]
    assert play.received(1, NGINX) == []
    # The listener is given a moment: a banner would have been the verdict.
    assert play.at(0.05) == []
    assert sorted(map(str, play.at(0.2))) == sorted(map(str, [Close(0), Close(1)]))
    assert verdict(talk) == ("match", "nginx", "1.22.1")
    assert play.now < 0.15


def test_a_banner_in_time_wins_over_the_likeliest_probe() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.received(1, NGINX)
    play.received(0, SSH)
    play.at(1.0)
    assert verdict(talk) == ("match", "OpenSSH", "9.2")


def test_a_silent_port_is_asked_on_while_the_listener_stays_open() -> None:
    talk = dialogue(7777)
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == []
    assert play.at(0.24) == []
    assert play.at(0.3) == [Open(1), Open(2)]
    play.opened(1)
    play.opened(2)
    assert play.received(2, NGINX) == []
    assert not talk.done  # GenericLines came first and may still be answered
    play.received(1, b"E: line too short\n")
    play.at(play.now + 0.15)
    assert verdict(talk) == ("match", "Line server", "")


def test_a_later_answer_counts_once_the_earlier_probes_are_settled() -> None:
    talk, play = listening(7777)
    play.at(0.3)
    play.opened(1)
    play.opened(2)
    play.received(2, NGINX)
    play.at(play.now + 0.15)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_a_late_banner_still_wins_when_nothing_else_was_recognised() -> None:
    talk, play = listening(7777)
    while play.now < 1.9:
        for command in play.at(min(1.9, play.now + 0.05)):
            if isinstance(command, Open):
                play.opened(command.stream)
    play.received(0, SSH)
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "OpenSSH", "9.2")


def test_more_of_an_answer_makes_the_match_more_exact() -> None:
    talk, play = listening(80)
    play.opened(1)
    play.received(1, b"HTTP/1.1 200 OK\r\nX: y\r\n")
    assert talk.runs[1].soft is not None
    play.received(1, b"\r\nThe app")
    play.at(1.0)
    assert verdict(talk) == ("match", "App", "")


def test_a_softmatch_narrows_what_is_asked_on() -> None:
    talk, play = listening(2121)
    play.received(0, b"220 Some FTP server\r\n")
    assert play.at(1.0) == [Open(1)]
    assert play.opened(1) == [Send(1, b"HELP\r\n")]
    play.received(1, b"220 Some FTP server\r\n214-Commands of\r\n")
    play.ended(1)
    play.at(play.now + 0.6)
    assert not talk.done  # the rest of the banner may still tell the product
    play.at(play.now + 2)
    assert verdict(talk)[0] == "soft match"
    assert [run.probe.name for run in talk.history] == ["NULL", "Help"]


def test_intensity_nine_is_not_narrowed() -> None:
    talk, play = listening(2121, intensity=9)
    play.received(0, b"220 Some FTP server\r\n")
    assert play.at(1.0) == [Open(1), Open(2)]
    assert [run.probe.name for run in talk.history] == ["NULL", "GenericLines", "GetRequest"]


def test_rarity_bounds_what_is_sent() -> None:
    for intensity, last in ((7, "TLSSessionReq"), (9, "Rare"), (1, "TLSSessionReq")):
        talk = dialogue(7777, intensity=intensity)
        play = Playbook(talk)
        waiting = play.commands() + play.opened(0)
        while not talk.done:
            waiting = waiting[1:] or play.at(play.now + 1)
            if waiting and isinstance(waiting[0], Open) and waiting[0].stream:
                waiting += play.opened(waiting[0].stream) + play.ended(waiting[0].stream)
            assert play.now < 60
        assert verdict(talk)[0] == "no match"
        names = [run.probe.name for run in talk.history]
        assert names[-1] == last
        assert ("Help" in names) == (intensity >= 3)


def test_an_answer_is_cut_when_it_does_not_end() -> None:
    talk, play = listening(22)
    for _ in range(10):
        commands = play.received(0, b"x" * 10_000)
        if Close(0) in commands:
            break
    assert talk.runs[0].outcome == "no match, then answer cut"
    assert len(talk.runs[0].received) == 2048  # what is kept of it


def test_a_dripping_answer_ends_with_the_probes_time() -> None:
    talk, play = listening(80, waits=PATIENT)
    for second in range(1, 16):
        play.at(second * 0.9)
        if not talk.runs[0].over:
            play.received(0, b"x")
    assert talk.runs[0].outcome == "no match"
    assert talk.runs[0].ended <= 12.1


def test_a_dripping_banner_is_heard_to_its_end() -> None:
    talk, play = listening(22)
    for byte in SSH:
        for command in play.at(play.now + 0.45):
            if isinstance(command, Open):
                play.opened(command.stream)
        if not talk.done:
            play.received(0, bytes([byte]))
    play.at(play.now + 1)
    assert verdict(talk)[:2] == ("match", "OpenSSH")


def test_a_banner_without_end_ends() -> None:
    talk, play = listening(22, waits=PATIENT, intensity=0)
    while not talk.done:
        play.at(play.now + 0.45)
        if not talk.done:
            play.received(0, b"x")
    assert 11 < play.now < 13


def test_a_slow_server_is_asked_again_what_was_given_up() -> None:
    talk = dialogue(7777)
    # HELP is answered after 1.5 s, GET after 2.8 s: given up before anything was heard.
    answers = {b"HELP\r\n": (1.5, b"what?\n"), GET: (2.8, NGINX)}
    serve(talk, lambda heard: [answers[heard]] if heard in answers else [])
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_http_requests_name_the_host() -> None:
    _, play = listening(80, name="www.example")
    assert play.opened(1) == [Send(1, b"GET / HTTP/1.0\r\nHost: www.example\r\n\r\n")]


def test_what_others_answered_to_is_sent_at_once() -> None:
    talk = dialogue(7777, likely="GetRequest")
    play = Playbook(talk)
    play.commands()
    assert play.opened(0) == [Open(1)]
    assert play.opened(1) == [Send(1, GET)]
    # Its answer counts once the probe that comes before it in the order was asked too.
    assert play.received(1, NGINX) == []
    assert play.at(play.now + 0.02) == [Close(1), Open(2)]
    assert play.opened(2) == [Send(2, b"\r\n\r\n")]
    play.at(play.now + 0.2)
    assert verdict(talk) == ("match", "nginx", "1.22.1")


def test_udp_asks_without_listening() -> None:
    talk = dialogue(53, udp=True)
    play = Playbook(talk)
    assert play.commands() == [Open(0), Open(1)]
    assert play.opened(0) == [Send(0, b"dns?")]
    play.received(0, b"dns!")
    play.at(play.now + 0.1)
    assert verdict(talk) == ("match", "Name server", "")


def test_a_silent_udp_port_is_not_recognised() -> None:
    talk = dialogue(53, udp=True)
    play = Playbook(talk)
    for command in play.commands():
        play.opened(command.stream)
    while not talk.done:
        play.at(play.now + 1)
    assert verdict(talk)[0] == "no match"
    assert not talk.responsive
    assert play.now <= 6


def test_the_user_sets_the_wait() -> None:
    talk, play = listening(22, intensity=0, waits=Waits(wait=0.5))
    while not talk.done:
        play.at(play.now + 0.1)
    assert 0.5 <= play.now < 1.0


def test_a_cut_scan_tells_what_is_known() -> None:
    talk, play = listening(2121)
    play.received(0, b"220 Some FTP server\r\n")
    talk.stop(play.now)
    assert verdict(talk)[0] == "soft match"
    other = dialogue(80)
    silent = Playbook(other)
    silent.commands()
    other.stop(0.0)
    assert verdict(other)[0] == "incomplete"


def test_what_a_softmatch_said_stays_where_the_match_says_nothing() -> None:
    judge = matcher()
    null = judge.probes.probes[0]
    soft = judge.match(null, b"220 an FTP server\r\n")
    hard = judge.match(judge.probes.probes[3], b"214-Commands of Exact FTP 1.2\r\n")
    assert soft is not None
    assert hard is not None
    soft = replace(soft, product="Other", extrainfo="from the softmatch")
    both = completed(hard, soft)
    assert (both.product, both.version, both.extrainfo) == ("Exact FTP", "1.2", "from the softmatch")
    assert completed(hard, replace(soft, rule=replace(soft.rule, service="smtp"))) is hard
    assert completed(soft, soft) is soft


def test_a_probe_that_was_only_greeted_is_given_its_time() -> None:
    """Servers look up our name, or pause, before they answer."""
    talk, play = listening(2121)
    play.received(0, b"220 Some FTP server\r\n")
    assert play.at(1.0) == [Open(1)]
    play.opened(1)
    play.received(1, b"220 Some FTP server\r\n")
    play.at(play.now + 3)
    assert not talk.done
    play.received(1, b"214-Commands of Exact FTP 1.2\r\n")
    play.at(play.now + 2.1)
    assert verdict(talk)[0] == "soft match"  # the banner stays in front of it: no rule fits
    assert play.now < 6


def test_a_softmatch_of_a_later_probe_adds_nothing() -> None:
    """The patient order would not have asked any more."""
    rules = RULES.replace(
        b"softmatch http m|^HTTP/1", b"softmatch line m|^S: later| i/from later/\nsoftmatch http m|^HTTP/1"
    )
    judge = matcher(rules)
    talk = Dialogue(Subject(7777, rtt=0.001), judge.probes, judge, 7, Waits())
    play = Playbook(talk)
    play.commands()
    play.opened(0)
    assert play.at(0.3) == [Open(1), Open(2)]
    play.opened(1)
    play.opened(2)
    play.received(2, b"S: later\n")
    play.received(1, b"E: line too short\n")
    play.at(play.now + 1)
    assert talk.verdict is not None
    assert talk.verdict.match is not None
    assert (talk.verdict.match.product, talk.verdict.match.extrainfo) == ("Line server", "")
