"""What each kind of silence is worth, at a round trip of 50 ms."""

from __future__ import annotations

import pytest

from leadline.data.service_grammar import parse
from leadline.data.service_rules import ServiceProbe
from leadline.model.port import Protocol
from leadline.services.agenda import Agenda
from leadline.services.connections import Connections
from leadline.services.order import LISTENING, PatientOrder
from leadline.services.patience import Manner, Patience
from leadline.services.run import Run
from leadline.services.waiting import Waits
from tests.support.playbook import RULES, matcher

RTT = 0.05
T0 = 100.0
WAITS = Waits()
PROBES = parse([("rules", RULES)])


def patience_of(*runs: Run, manner: Manner = Manner.TOGETHER, waits: Waits = WAITS) -> Patience:
    agenda = Agenda(PatientOrder(PROBES, 80, Protocol.TCP, "", 7), waits)
    lines = Connections(agenda, waits, matcher(), "", None)
    lines.runs += runs
    return Patience(waits, lines, RTT, manner)


def probe_named(name: str) -> ServiceProbe:
    return next(probe for probe in PROBES.probes if probe.name == name)


def asked(**fields: object) -> Run:
    """GetRequest, sent at T0."""
    return Run((2, 1), probe_named("GetRequest"), 1, "", T0, begun=T0, spoke=T0, **fields)  # type: ignore[arg-type]


def listener(**fields: object) -> Run:
    return Run(LISTENING, probe_named("NULL"), 0, "", T0, begun=T0, spoke=T0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("manner", "fields", "seconds"),
    [
        (Manner.TOGETHER, {}, 5.0),
        (Manner.TRIAL, {}, 2.0),
        (Manner.SERIAL, {}, 2.0),
        (Manner.ALONE, {}, 2.0),
        # What waits on beside the trial, or has its connection to itself, has its whole time.
        (Manner.TRIAL, {"aside": True}, 2.0),
        (Manner.TRIAL, {"aside": True, "keep": True}, 5.0),
        (Manner.ALONE, {"keep": True}, 5.0),
        (Manner.TOGETHER, {"until": T0 + 7.5}, 7.5),
    ],
)
def test_the_deadline_of_a_probe_follows_how_many_connections_there_are(
    manner: Manner, fields: dict[str, object], seconds: float
) -> None:
    run = asked(**fields)
    assert patience_of(run, manner=manner).deadline(run, T0) == pytest.approx(T0 + seconds)


def test_a_patient_dialogue_has_the_waits_of_the_rules() -> None:
    waits = Waits(streams=1, patient=True)
    run = asked()
    assert patience_of(run, manner=Manner.ALONE, waits=waits).deadline(run, T0) == T0 + 5.0


@pytest.mark.parametrize(("heard", "seconds"), [(None, 6.0), (4.0, 6.0), (5.5, 6.5), (11.9, 12.0)])
def test_who_still_speaks_is_listened_to_a_second_longer_and_twice_the_time_at_most(
    heard: float | None, seconds: float
) -> None:
    run = listener(heard=None if heard is None else T0 + heard)
    assert patience_of(run).deadline(run, T0) == pytest.approx(T0 + seconds)


@pytest.mark.parametrize(("tunnel", "seconds"), [("", 5.0), ("ssl", 8.0)])
def test_a_connection_may_take_longer_with_tls(tunnel: str, seconds: float) -> None:
    run = Run((2, 1), probe_named("GetRequest"), 1, tunnel, T0, begun=T0)
    patience = patience_of(run)
    assert not patience.connected_too_late(run, T0 + seconds - 0.01)
    assert patience.connected_too_late(run, T0 + seconds)
    run.begun = None
    assert not patience.connected_too_late(run, T0 + 100)


def test_the_least_silence_grows_with_the_slowest_answer() -> None:
    assert patience_of(listener(heard=T0 + 9.0)).least() == 2.0
    assert patience_of(asked(heard=T0 + 0.5)).least() == 2.0
    assert patience_of(asked(heard=T0 + 3.0)).least() == 6.0


def test_only_a_slow_answer_makes_what_was_given_up_worth_another_try() -> None:
    early, late, closed = (asked(outcome=word, ended=T0 + at) for word, at in
                           (("silence", 2.0), ("silence", 5.0), ("closed", 2.0)))  # fmt: skip
    for took, again in ((0.9, []), (1.5, [early])):
        patience = patience_of(listener(outcome="silence", ended=T0 + 2), early, late, closed, asked(heard=T0 + took))
        assert patience.given_up_early() == again


def test_nothing_is_hopeless_while_there_is_one_connection_at_a_time() -> None:
    run = asked()
    assert not patience_of(run).hopeless(run, T0 + 1.9)
    assert patience_of(run).hopeless(run, T0 + 2.0)
    assert not patience_of(run, manner=Manner.SERIAL).hopeless(run, T0 + 2.0)
    answered = asked(total=5, heard=T0)
    assert not patience_of(answered).hopeless(answered, T0 + 0.79)
    assert patience_of(answered).hopeless(answered, T0 + 0.8)
    kept = asked(keep=True)
    assert not patience_of(kept).hopeless(kept, T0 + 3.0), "nobody was heard yet"
    assert patience_of(kept, answered).hopeless(kept, T0 + 3.0)


def test_a_match_is_final_after_a_moment_or_with_the_end_of_the_connection() -> None:
    run = asked(matched=T0)
    assert not patience_of(run).heard_enough(run, T0 + 0.07)
    assert patience_of(run).heard_enough(run, T0 + 0.075)
    run.outcome = "match"
    assert patience_of(run).heard_enough(run, T0)
    assert not patience_of(run).heard_enough(asked(), T0 + 9)


def test_grace_is_twice_what_the_answer_took() -> None:
    assert patience_of().grace(asked()) == pytest.approx(0.25)
    assert patience_of().grace(asked(matched=T0 + 1.0)) == pytest.approx(2.0)


def test_every_wait_has_its_moment() -> None:
    waiting, begun = asked(), Run((2, 1), probe_named("GetRequest"), 1, "", T0, begun=T0)
    queued, over = Run((2, 1), probe_named("GetRequest"), 2, "", T0), asked(outcome="closed")
    assert sorted(patience_of(waiting).moments()) == pytest.approx([T0 + at for at in (0.25, 0.4, 0.8, 2.0, 2.0, 5.0)])
    assert sorted(patience_of(begun).moments()) == pytest.approx([T0 + at for at in (0.25, 2.0, 5.0)])
    assert list(patience_of(queued, over).moments()) == []
