"""Evidence of silence and of an answer."""

from __future__ import annotations

from ipaddress import ip_address

from leadline.model.evidence import Evidence
from tests.support.frozen import check_frozen, loads


def test_silence_is_evidence_without_a_reply() -> None:
    silence = Evidence("syn", 3)
    assert (silence.answered_try, silence.reply, silence.responder, silence.ttl, silence.rtt) == (0, "", None, 0, None)
    assert (silence.at, silence.rule) == (0.0, "")


def test_evidence_is_frozen() -> None:
    check_frozen(Evidence("syn", 2, 2, "tcp SA", ip_address("10.0.0.1"), 64, 0.001, 0.5, "syn: SYN/ACK -> open"))


def test_a_round_trip_of_nothing_is_not_an_unknown_one() -> None:
    assert Evidence("connect", 1, 1, rtt=0.0) != Evidence("connect", 1, 1)


def test_evidence_needs_no_numpy() -> None:
    assert not loads("leadline.model.evidence", "numpy")
