from leadline.model.port import Protocol
from leadline.services.agenda import Agenda, Moment, best_of, soft_of
from leadline.services.order import LISTED, LISTENING, UNLISTED, PatientOrder, Place
from leadline.services.run import Run
from leadline.services.waiting import Waits
from tests.support.playbook import matcher

JUDGE = matcher()
WAITS = Waits()


def agenda(port: int, likely: str = "") -> Agenda:
    return Agenda(PatientOrder(JUDGE.probes, port, Protocol.TCP, "", 7), WAITS, likely)


def sent(made: Agenda, place: Place, data: bytes = b"", spoke: float = 0.0) -> Run:
    """A probe that was sent, answered with ``data`` when there is some."""
    probe = made.order.null if place == LISTENING else next(p for at, p in made.order.probes() if at == place)
    assert probe is not None
    run = Run(place, probe, len(made.launched), "", 0.0, keep=made.is_likeliest(place), begun=0.0, spoke=spoke)
    made.launched.add(place)
    if data:
        run.hear(data, spoke, JUDGE)
    return run


def chosen(made: Agenda, runs: list[Run], now: float, alone: bool = False, before: Place | None = None) -> str:
    choice = made.choose(Moment(runs, now, 0.0, alone), before)
    return choice[1].name if choice else ""


def test_the_banner_comes_first() -> None:
    assert chosen(agenda(80), [], 0.0) == "NULL"
    made = agenda(80)
    listener = sent(made, LISTENING)
    listener.spoke = None
    assert chosen(made, [listener], 0.0) == ""


def test_only_what_lists_the_port_goes_out_beside_the_banner() -> None:
    for port, name in ((80, "GetRequest"), (7777, "")):
        made = agenda(port)
        assert chosen(made, [sent(made, LISTENING)], 0.0) == name


def test_after_a_silence_two_probes_are_on_their_way() -> None:
    made = agenda(7777)
    runs = [sent(made, LISTENING)]
    assert chosen(made, runs, 0.1) == ""
    assert chosen(made, runs, 0.3) == "GenericLines"
    runs.append(sent(made, (UNLISTED, 1), spoke=0.3))
    assert chosen(made, runs, 0.3) == "GetRequest"
    runs.append(sent(made, (UNLISTED, 2), spoke=0.3))
    assert chosen(made, runs, 0.3) == ""
    assert chosen(made, runs, 0.6) == "Help"


def test_alone_nothing_goes_out_beside_another() -> None:
    made = agenda(80)
    runs = [sent(made, LISTENING)]
    assert chosen(made, runs, 9.0, alone=True) == ""
    runs[0].finish("silence", 9.0)
    assert chosen(made, runs, 9.0, alone=True) == "GetRequest"


def test_hints_are_brought_forward() -> None:
    made = agenda(7777, "GetRequest")
    assert chosen(made, [sent(made, LISTENING)], 0.0) == "GetRequest"
    unknown = agenda(7777, "NoSuchProbe")
    assert chosen(unknown, [sent(unknown, LISTENING)], 0.0) == ""
    tls = agenda(7777)
    assert chosen(tls, [sent(tls, LISTENING, b"\x15\x03\x01\x00\x02")], 0.0) == "TLSSessionReq"


def test_what_a_later_match_waits_for_is_sent_at_once() -> None:
    made = agenda(7777, "GetRequest")
    later = sent(made, (UNLISTED, 2), b"HTTP/1.0 200 OK\r\nServer: nginx/1\r\n")
    runs = [sent(made, LISTENING), later]
    assert best_of(runs) is later
    assert chosen(made, runs, 0.0, before=later.place) == "GenericLines"
    runs.append(sent(made, (UNLISTED, 1)))
    assert chosen(made, runs, 0.0, before=later.place) == ""


def test_a_softmatch_narrows_only_what_comes_after_it() -> None:
    made = agenda(7777)
    runs = [sent(made, LISTENING), sent(made, (UNLISTED, 2), b"220 an FTP server\r\n")]
    soft = soft_of(runs)
    assert soft is runs[1]
    following = made.following(runs)
    assert following is not None
    assert following[1].name == "GenericLines"
    made.launched.add(following[0])
    following = made.following(runs)
    assert following is not None
    assert following[1].name == "Help"


def test_the_oldest_silence_is_given_up_but_never_the_likeliest() -> None:
    made = agenda(80)
    runs = [sent(made, LISTENING), sent(made, (LISTED, 2)), sent(made, (UNLISTED, 1), spoke=1.0)]
    runs.append(sent(made, (UNLISTED, 3), spoke=0.5))
    assert made.victim(Moment(runs, 2.0, 0.0, False)) is None
    assert made.victim(Moment(runs, 4.0, 0.0, False)) is runs[3]
    assert [run.keep for run in runs] == [True, True, False, False]
