from __future__ import annotations

import errno

import pytest

from leadline.net.base import Ended, Received
from leadline.sim import hostile
from leadline.sim.hostile import hostile_services
from leadline.sim.world import SimService
from tests.support.sim_dialogue import Talk

KINDS = {service.name or f"reset-{service.port}": service for service in hostile_services()}


def test_one_of_each_on_ports_of_their_own() -> None:
    services = hostile_services(100)
    assert [service.port for service in services] == list(range(100, 100 + len(services)))
    assert len({(s.banner, s.answers, s.default, s.tls, s.pours, s.after_banner) for s in services}) == len(services)
    assert len(services) == 18


def test_that_they_are_hostile() -> None:
    talk = Talk(*KINDS.values())
    for service in KINDS.values():
        talk.open(service.port)
        if service.name != "huge":
            talk.dialer.send(service.port, b"GET / HTTP/1.0\r\n\r\n")
    talk.run(10.0)
    amounts = {
        name: sum(len(e.data) for e in talk.events if e.token == service.port and isinstance(e, Received))
        for name, service in KINDS.items()
    }
    assert amounts["trickle"] == 9
    assert amounts["flood"] > 10_000_000
    assert amounts["huge"] == amounts["silent"] == amounts["slow"] == 0
    assert amounts["echo"] == 18
    assert amounts["poison"] == 2 * len(hostile._POISON)
    assert amounts["contradictory"] == len(b"220 FTP SMTP ready\r\n+OK POP3 ready\r\n")


def test_a_page_of_a_hundred_megabytes() -> None:
    talk = Talk(hostile.hundred_megabytes(1))
    talk.open(1)
    talk.dialer.send(1, b"GET / HTTP/1.0\r\n\r\n")
    talk.run(2.0)
    sizes = [len(event.data) for event in talk.events if isinstance(event, Received)]
    assert max(sizes) <= 65536
    assert 4_000_000 < sum(sizes) < 12_000_000


@pytest.mark.parametrize(
    ("step", "heard"), [("accept", 0), ("banner", 1), ("request", 0), ("answer", 1)], ids=lambda value: str(value)
)
def test_resets_at_each_step(step: str, heard: int) -> None:
    talk = Talk(hostile.resets(1, step))
    talk.open(1)
    lines = talk.say(1, b"GET / HTTP/1.0\r\n\r\n")
    assert lines[0] == ("opened",)
    assert [line[0] for line in lines[1:]] == ["received"] * heard + ["ended"]
    assert lines[-1] == ("ended", "stream", errno.ECONNRESET)


@pytest.mark.parametrize("service", [one for one in KINDS.values() if one.tls], ids=lambda one: one.name)
def test_no_handshake_succeeds(service: SimService) -> None:
    talk = Talk(service)
    talk.open(service.port, tls=True)
    talk.run(20.0)
    assert all(isinstance(event, Ended) and event.phase == "tls" for event in talk.events)
    assert len(talk.events) == (service.name not in ("tls-silent", "tls-endless"))


def test_a_late_greeting() -> None:
    talk = Talk(hostile.slow_to_greet(1, 5.0))
    talk.open(1)
    talk.run(4.9)
    assert talk.heard(1) == [("opened",)]
    talk.run(1.0)
    assert talk.heard(1)[1:] == [("received", b"220 at last\r\n")]
