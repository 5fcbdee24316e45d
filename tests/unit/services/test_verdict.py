import pytest

from leadline.services.fingerprint import FingerprintFacts
from leadline.services.verdict import service_of
from tests.support.playbook import TLS, Playbook, dialogue, listening

FACTS = FingerprintFacts("1.0", 7, 0.0, "x")


def test_a_match_is_certain_and_says_which_rule() -> None:
    talk, play = listening(22)
    play.received(0, b"SSH-2.0-OpenSSH_9.2\r\n")
    play.at(1.0)
    service = service_of(talk, "ssh", FACTS, 0.0, play.now)
    assert (service.name, service.method, service.confidence) == ("ssh", "probed", 10)
    assert (service.product, service.version, service.extrainfo) == ("OpenSSH", "9.2", "protocol 2.0")
    assert service.cpe == ("cpe:/a:openbsd:openssh:9.2",)
    assert service.fingerprint == ""
    assert service.evidence is not None
    assert service.evidence.rule == "rules:6"
    (exchange,) = service.evidence.exchanges
    assert (exchange.probe, exchange.received, exchange.outcome) == ("NULL", b"SSH-2.0-OpenSSH_9.2\r\n", "match")


def test_a_softmatch_names_the_service_and_tells_the_answers() -> None:
    talk, play = listening(2121, intensity=7)
    play.received(0, b"220 an FTP server\r\n")
    talk.stop(play.now)
    service = service_of(talk, "", FACTS, 0.0, play.now)
    assert (service.name, service.method, service.confidence, service.product) == ("ftp", "probed", 10, "")
    assert service.fingerprint.startswith("SF-Port2121-TCP:")
    light = FingerprintFacts("1.0", 2, 0.0, "x")
    assert service_of(talk, "", light, 0.0, play.now).fingerprint == ""


def test_a_wrapped_port() -> None:
    talk, play = listening(7777)
    play.ended(0)
    service = service_of(talk, "cbt", FACTS, 0.0, play.now)
    assert (service.name, service.method, service.confidence) == ("tcpwrapped", "probed", 8)


def test_what_was_not_recognised_keeps_the_tables_name() -> None:
    talk = dialogue(80)
    play = Playbook(talk)
    play.commands()
    play.refused(0)
    service = service_of(talk, "http", FACTS, 0.0, play.now)
    assert (service.name, service.method, service.confidence) == ("http", "table", 3)
    assert service_of(talk, "", FACTS, 0.0, play.now).name == "unknown"
    assert service.evidence is not None
    assert service.evidence.reason == "connection refused"


def test_starttls_facts_are_kept() -> None:
    talk = dialogue(80)
    talk.stop(0.0)
    assert service_of(talk, "smtp", FACTS, 0.0, 0.0, TLS).tls is TLS


def test_a_dialogue_that_goes_on_has_no_service() -> None:
    with pytest.raises(ValueError, match="not finished"):
        service_of(dialogue(80), "http", FACTS, 0.0, 0.0)
