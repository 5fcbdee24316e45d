"""What states mean, in plain sentences."""

import pytest

from leadline.report.meanings import port_meaning, reset_doubt


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
        ("filtered", "no-response", "syn with a wrong checksum", 2, 3, "who looks at checksums drops such a probe"),
        ("closed", "reset", "syn with a wrong checksum", 1, 3, "by something that does not look"),
        ("odd", "odd", "odd", 2, 0, "not known to this version"),
    ],
)
def test_sentences(state: str, reason: str, probe: str, tries: int, others: int | None, said: str) -> None:
    assert said in port_meaning(state, reason, probe, tries, others)


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("open", "proto-response", "it answered by it"),
        ("open", "port-unreach", "refused only that"),
        ("open", "proto-unreach", "refused other protocols"),
        ("closed", "proto-unreach", "does not speak this protocol"),
        ("closed", "param-problem", "does not speak this protocol"),
        ("open|filtered", "no-response", "may keep silent"),
        ("filtered", "admin-prohibited", "a filter forbids it"),
    ],
)
def test_protocols_are_spoken_or_not(state: str, reason: str, words: str) -> None:
    assert words in port_meaning(state, reason, "ip-protocol", 1, None)


def test_an_association_is_agreed_to() -> None:
    assert "association" in port_meaning("open", "init-ack", "sctp-init", 1, None)


def test_resets_that_something_else_may_have_sent() -> None:
    assert reset_doubt(63, 63) == reset_doubt(0, 63) == reset_doubt(63, 0) == ""
    assert "TTL is 64, and 63 in the SYN/ACKs of this host: something nearer to us" in reset_doubt(64, 63)
    assert "something on the way" in reset_doubt(60, 63)


def test_a_host_without_sctp() -> None:
    assert "SCTP is not spoken there" in port_meaning("filtered", "proto-unreach", "sctp-init", 1, 3)
    assert "Something on the way" in port_meaning("filtered", "host-unreach", "sctp-init", 1, 3)


def test_of_hosts_that_are_scanned_over_another() -> None:
    assert "one packet more" in port_meaning("open", "ipid-change", "idle", 3, 0)
    assert "zombie sent nothing" in port_meaning("closed|filtered", "no-ipid-change", "", 0, 0)
    assert "FTP server could connect" in port_meaning("open", "no-response", "bounce", 1, 0)
    assert "could not connect" in port_meaning("closed", "no-response", "bounce", 1, 0)
    assert "in time" in port_meaning("filtered", "no-response", "bounce", 1, 0)


def test_a_silent_udp_port_whose_limits_were_not_waited_for_may_even_be_open() -> None:
    assert "open and silent" in port_meaning("closed|filtered", "no-response", "udp", 2, 0)
    assert "It is not open" in port_meaning("closed|filtered", "no-response", "syn", 2, 0)


@pytest.mark.parametrize("state", ["filtered", "open|filtered"])
def test_silence_of_a_host_that_left_says_nothing(state: str) -> None:
    told = port_meaning(state, "no-response", "syn", 2, 545, left=True)
    assert "any state" in told
    assert "filter" not in told
    assert "any state" not in port_meaning(state, "admin-prohibited", "syn", 2, 545, left=True)
