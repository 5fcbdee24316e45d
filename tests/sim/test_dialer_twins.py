"""The simulated dialer tells what the real one tells: the same scripts, acted out on loopback and in a world."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

import pytest

from leadline.net.base import DialEvent, Ended, Opened, Received
from leadline.net.dialer import EpollDialer
from leadline.sim.data_services import redis
from leadline.sim.hostile import resets
from leadline.sim.server import Act, ServerSide
from leadline.sim.services import http, imap, smtp, ssh, wrapped
from leadline.sim.speech import Reply, SimTls, Then, TlsFault
from leadline.sim.world import SimService
from tests.support import sim_dialogue
from tests.support.dialing import Handler, RealClock, closed_port, here, serving

GET = b"GET / HTTP/1.0\r\n\r\n"
Told = list[tuple[object, ...]]


def acted_out(service: SimService) -> Handler:
    """A real server that does what the script says."""

    def perform(opened: socket.socket, acts: list[Act]) -> bool:
        for act in acts:
            time.sleep(act.delay)
            opened.sendall(act.data)
            if act.then is Then.RESET:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if act.then in (Then.CLOSE, Then.RESET):
                return False
        return True

    def handler(opened: socket.socket) -> None:
        server = ServerSide(service)
        going = perform(opened, server.begin())
        while going and (data := opened.recv(65536)):
            going = perform(opened, server.hear(data))

    return handler


def summary(events: list[DialEvent]) -> Told:
    """Events without times and tokens, neighbouring bytes joined."""
    told: Told = []
    for event in events:
        if isinstance(event, Received):
            before = told.pop()[1] if told and told[-1][0] == "received" else b""
            assert isinstance(before, bytes)
            told.append(("received", before + event.data))
        elif isinstance(event, Ended):
            told.append(("ended", event.phase, event.error, event.message))
        else:
            assert isinstance(event, Opened)
            told.append(("opened",))
    return told


def really(service: SimService | None, words: tuple[bytes, ...], tls: bool, expected: list[Told]) -> list[Told]:
    """What was told after connecting and after each word: as soon as it is what is expected, or after long waiting."""
    dialer = EpollDialer(RealClock())
    events: list[DialEvent] = []
    told: list[Told] = []

    def wait() -> None:
        deadline = time.monotonic() + 5.0
        while summary(events) != expected[len(told)] and (left := deadline - time.monotonic()) > 0:
            events.extend(dialer.poll(left))
        events.extend(dialer.poll(0.03))
        told.append(summary(events))

    with contextlib.ExitStack() as stack:
        stack.callback(dialer.close_all)
        port = closed_port() if service is None else stack.enter_context(serving(acted_out(service)))
        dialer.open(1, here(port, tls=tls))
        wait()
        for word in words:
            dialer.send(1, word)
            wait()
    return told


def simulated(service: SimService | None, words: tuple[bytes, ...], tls: bool) -> list[Told]:
    talk = sim_dialogue.Talk(*([service] if service is not None else []))
    talk.open(1, service.port if service is not None else 9, tls=tls)
    talk.run(1.0)
    told = [summary(talk.events)]
    for word in words:
        talk.say(1, word, pause=1.0)
        told.append(summary(talk.events))
    return told


SCRIPTS: dict[str, tuple[SimService | None, tuple[bytes, ...], bool]] = {
    "nobody listens": (None, (), False),
    "ssh": (ssh(22, "OpenSSH_9.2p1"), (GET,), False),
    "web": (http(80, "nginx"), (GET,), False),
    "a web server that is asked nonsense": (http(80, "nginx"), (b"\r\n\r\n", b"HELP\r\n"), False),
    "mail": (smtp(25, "m.example", "Postfix"), (b"EHLO x\r\n", b"HELP\r\n", b"QUIT\r\n"), False),
    "mail store": (imap(143, "Dovecot"), (b"a1 CAPABILITY\r\n", b"a2 LOGOUT\r\n"), False),
    "redis": (redis(6379, "7.0.15"), (b"PING\r\n", b"INFO\r\n"), False),
    "wrapped": (wrapped(1), (), False),
    "late greeting": (SimService(1, banner=b"at last", banner_delay=0.1), (), False),
    # Reset or closed any sooner, it is a matter of luck what the client sees first.
    "reset before a word": (SimService(1, banner_delay=0.05, after_banner=Then.RESET), (), False),
    "reset by a request": (resets(1, "request"), (GET,), False),
    "half an answer": (SimService(1, default=Reply(say=b"half an ans", then=Then.CLOSE)), (GET,), False),
    "tls to nobody": (None, (), True),
    "tls to ssh": (ssh(22, "OpenSSH_9.2p1"), (), True),
    "tls to a web server": (SimService(1, default=Reply(say=b"HTTP/1.1 400 Bad Request\r\n\r\n")), (), True),
    "tls to silence": (SimService(1), (), True),
    **{
        f"tls and {fault.value}": (SimService(1, tls=SimTls(fault=fault)), (), True)
        for fault in (TlsFault.ALERT, TlsFault.CLOSE, TlsFault.RESET, TlsFault.GARBAGE, TlsFault.SILENT)
    },
    "tls without the name it needs": (SimService(1, tls=SimTls(needs_name=True)), (), True),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_both_tell_the_same(script: tuple[SimService | None, tuple[bytes, ...], bool]) -> None:
    expected = simulated(*script)
    assert really(*script, expected) == expected
