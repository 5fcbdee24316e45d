"""Answers that a port gave in the port scan are looked at before anything is sent."""

from __future__ import annotations

from leadline.services.commands import Open
from tests.support.playbook import Playbook, dialogue


def test_an_answer_that_a_rule_recognises_ends_it_without_traffic() -> None:
    talk = dialogue(53, udp=True, heard=(b"what?", b"dns!"))
    play = Playbook(talk)
    assert play.commands() == []
    assert talk.done
    verdict = talk.verdict
    assert verdict is not None
    assert verdict.match is not None
    assert (verdict.kind, verdict.match.product, verdict.probe) == ("match", "Name server", "DNS")
    assert verdict.reason == "recognised by an answer to the port scan, to DNS"
    (run,) = talk.history
    exchange = run.exchange(0.0, 1.0)
    assert (exchange.sent, exchange.received, exchange.total, exchange.outcome) == (b"dns?", b"dns!", 4, "match")


def test_other_answers_leave_the_dialogue_as_it_is() -> None:
    for heard in ((b"nonsense",), (b"other!",), ()):
        talk = dialogue(53, udp=True, heard=heard)
        assert Open(0) in Playbook(talk).commands()
        assert not talk.done
    # Of other ports' probes nothing was sent there.
    assert Open(0) in Playbook(dialogue(54, udp=True, heard=(b"dns!",))).commands()
