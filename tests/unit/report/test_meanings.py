"""What states mean, in plain sentences."""

import pytest

from leadline.report.meanings import port_meaning


@pytest.mark.parametrize(
    ("state", "reason", "probe", "tries", "others", "said"),
    [
        ("open", "syn-ack", "syn", 1, 5, "accepted the connection"),
        ("open", "reset", "window", 1, 5, "window above 0"),
        ("open", "split-handshake-syn", "syn", 1, 5, "split handshake"),
        ("open", "udp-response", "udp", 1, 5, "it answered"),
        ("closed", "reset", "syn", 1, 5, "nothing listens there"),
        ("closed", "reset", "window", 1, 5, "window of 0"),
        ("filtered", "no-response", "syn", 1, 1, "the one try while one other port of the host answered"),
        ("filtered", "no-response", "syn", 3, 7, "3 tries while 7 other ports"),
        ("filtered", "no-response", "syn", 3, 0, "nor from any other port"),
        ("filtered", "no-response", "", 0, None, "Nothing came back: a filter"),
        ("filtered", "admin-prohibited", "syn", 1, 0, "a filter forbids it"),
        ("filtered", "strange", "syn", 1, 0, "it was refused"),
        ("unfiltered", "reset", "ack", 1, 0, "cannot tell whether something listens"),
        ("open|filtered", "no-response", "fin", 2, 0, "an open port keeps silent"),
        ("odd", "odd", "odd", 2, 0, "not known to this version"),
    ],
)
def test_sentences(state: str, reason: str, probe: str, tries: int, others: int | None, said: str) -> None:
    assert said in port_meaning(state, reason, probe, tries, others)
