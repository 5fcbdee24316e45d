"""The dialer over real links: link-local scopes, what firewalls say, servers that misbehave, few descriptors."""

from __future__ import annotations

import errno
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from leadline.model.port import Protocol
from leadline.net.base import Endpoint, Opened
from leadline.net.dialer import EpollDialer
from tests.support.certificates import make_identity, server_context
from tests.support.dialing import RealClock, Talk, here, serving
from tests.support.inside import inside
from tests.support.netns import ROOT, Lab, on_link_lab, routed_lab

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def near() -> Iterator[Lab]:
    with on_link_lab() as lab:
        lab.target.listen([80])
        lab.target.listen([53], udp=True)
        yield lab


@pytest.fixture(scope="module")
def far() -> Iterator[Lab]:
    with routed_lab() as lab:
        lab.target.listen([80])
        namespace, hook = lab.firewall
        namespace.firewall(
            hook,
            "tcp dport 81 drop",
            "tcp dport 82 reject with icmpx type host-unreachable",
            "tcp dport 83 reject with icmpx type admin-prohibited",
            "udp dport 84 reject with icmpx type admin-prohibited",
            "udp dport 85 drop",
            "udp dport 87 reject with icmpx type host-unreachable",
        )
        yield lab


def link_local(lab: Lab) -> str:
    """The target's link-local address."""
    words = lab.target.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").stdout.split()
    return words[words.index("inet6") + 1].partition("/")[0]


def test_link_local_targets_need_their_interface(near: Lab) -> None:
    address = ip_address(link_local(near))
    with inside(near.scanner.name):
        index = str(socket.if_nametoindex("eth0"))
        talk = Talk(EpollDialer(RealClock(), 50))
        talk.dialer.open(1, Endpoint(address, 80, scope="eth0"))
        talk.dialer.open(2, Endpoint(address, 80, scope=index))
        talk.dialer.open(3, Endpoint(address, 53, Protocol.UDP, "eth0"))
        talk.dialer.send(3, b"echo")
        talk.dialer.open(4, Endpoint(address, 81, scope="eth0"))
        talk.dialer.open(5, Endpoint(address, 80))
        talk.until_received(3, b"echo")
        talk.until_ended(1, 2, 4, 5)
        talk.dialer.close_all()
    assert talk.ended(1) == talk.ended(2) == ("stream", 0, "")
    assert talk.ended(4)[:2] == ("connect", errno.ECONNREFUSED)
    assert talk.ended(5)[:2] == ("connect", errno.EINVAL)


@pytest.mark.parametrize("family", [4, 6])
def test_what_firewalls_say(far: Lab, family: int) -> None:
    address = ip_address(far.target_v4 if family == 4 else far.target_v6)
    with inside(far.scanner.name):
        talk = Talk(EpollDialer(RealClock(), 50))
        for port in range(80, 84):
            talk.dialer.open(port, Endpoint(address, port))
        for port in (84, 85, 86, 87):
            talk.dialer.open(port, Endpoint(address, port, Protocol.UDP))
            talk.dialer.send(port, b"x")
        talk.dialer.open(99, Endpoint(ip_address("10.88.0.3" if family == 4 else "fd88::3"), 80))
        talk.until_ended(80, 82, 83, 84, 86, 87)
        talk.events += talk.dialer.poll(0.1)
        assert {81, 85}.isdisjoint(talk.ended_tokens())
        talk.dialer.close_all()
    assert talk.ended(80) == ("stream", 0, "")
    assert talk.ended(82)[:2] == ("connect", errno.EHOSTUNREACH)
    assert talk.ended(83)[:2] == ("connect", errno.EHOSTUNREACH if family == 4 else errno.EACCES)
    assert talk.ended(84)[:2] == ("stream", errno.EHOSTUNREACH if family == 4 else errno.EACCES)
    assert talk.ended(87)[:2] == ("stream", errno.EHOSTUNREACH)
    assert talk.ended(86)[:2] == ("stream", errno.ECONNREFUSED)


def test_no_route_is_told_at_once(near: Lab) -> None:
    with inside(near.scanner.name):
        talk = Talk(EpollDialer(RealClock(), 5))
        talk.dialer.open(1, Endpoint(ip_address("198.51.100.1"), 80))
        talk.dialer.open(2, Endpoint(ip_address("198.51.100.1"), 80, Protocol.UDP))
        talk.until_ended(1, 2)
        talk.dialer.close_all()
    assert talk.ended(1)[:2] == talk.ended(2)[:2] == ("connect", errno.ENETUNREACH)


# The rest is about servers, not links: they live on loopback.


@pytest.fixture
def talk() -> Iterator[Talk]:
    dialer = EpollDialer(RealClock(), 500)
    yield Talk(dialer)
    dialer.close_all()


@pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"])
def test_servers_of_one_version_only(talk: Talk, name: str) -> None:
    identity = make_identity(f"{name}.example", (), last=datetime(2021, 1, 1, tzinfo=UTC), key_type="rsa")
    context = server_context(identity, ssl.TLSVersion[name])

    def answer(opened: socket.socket) -> None:
        with context.wrap_socket(opened, server_side=True) as tls:
            tls.sendall(b"old but " + tls.recv(100))

    with serving(answer) as port:
        talk.dialer.open(1, here(port, tls=True, name="host.example"))
        talk.dialer.send(1, b"alive")
        talk.until_ended(1)
    opened = talk.until_opened(1)
    assert opened.tls is not None
    assert opened.tls.version == name.replace("_", ".")
    assert opened.tls.certificate is not None
    assert opened.tls.certificate.not_after == datetime(2021, 1, 1, tzinfo=UTC).timestamp()
    assert talk.received(1) == b"old but alive"


def test_a_certificate_that_is_no_certificate(talk: Talk) -> None:
    """A TLS 1.2 server in the clear: ServerHello, then a certificate of garbage (RFC 5246 7.4)."""

    def message(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    hello = message(2, b"\3\3" + bytes(32) + b"\0" + b"\x00\x2f" + b"\0")
    certificate = message(11, (53).to_bytes(3, "big") + (50).to_bytes(3, "big") + b"0" * 50)
    flight = hello + certificate + message(14, b"")

    def lie(opened: socket.socket) -> None:
        opened.recv(5000)
        opened.sendall(b"\x16\3\3" + len(flight).to_bytes(2, "big") + flight)
        opened.recv(5000)

    with serving(lie) as port:
        talk.dialer.open(1, here(port, tls=True))
        talk.until_ended(1)
    phase, error, message_text = talk.ended(1)
    assert (phase, error) == ("tls", errno.EPROTO)
    assert message_text


@pytest.mark.parametrize("most", [0, 1, 5, 100, 500, 1000, 5000])
def test_resets_at_each_step_of_a_handshake(talk: Talk, most: int) -> None:
    """``most``: how many bytes of its first flight (about 1,300) the server sends before it resets."""
    context = server_context(make_identity("reset.example", (), key_type="rsa"), ssl.TLSVersion.TLSv1_2)

    def cut(opened: socket.socket) -> None:
        # A reset that comes before the client has seen the connection open would be one of the connection.
        hello = opened.recv(5000)
        if most:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            incoming.write(hello)
            with suppress(ssl.SSLWantReadError):
                context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
            opened.sendall(outgoing.read()[:most])
            time.sleep(0.02)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(cut) as port:
        talk.dialer.open(1, here(port, tls=True))
        talk.until_ended(1)
    assert talk.ended(1) == ("tls", errno.ECONNRESET, "Connection reset by peer")


def test_misbehaving_servers_do_no_harm_to_the_others(talk: Talk) -> None:
    """Trickling, silent, flooding and stopping servers, plain and in the middle of TLS, beside ordinary ones."""
    over = threading.Event()

    def trickle(opened: socket.socket) -> None:
        for byte in b"\x16\3\3\x40\0" + bytes(100):
            opened.sendall(bytes([byte]))
            if over.wait(0.05):
                return

    def flood(opened: socket.socket) -> None:
        while not over.is_set():
            opened.sendall(bytes(1 << 18))

    def silent(opened: socket.socket) -> None:
        over.wait(20)

    def good(opened: socket.socket) -> None:
        with server_context().wrap_socket(opened, server_side=True) as tls:
            tls.sendall(b"good " + tls.recv(100))

    with serving(trickle) as slow, serving(flood) as fast, serving(silent) as mute, serving(good) as well:
        for token, port in enumerate((slow, fast, mute) * 10):
            talk.dialer.open(token, here(port, tls=bool(token % 2)))
        began = time.monotonic()
        for token in range(100, 120):
            talk.dialer.open(token, here(well, tls=True))
            talk.dialer.send(token, b"dog")
        talk.until_ended(*range(100, 120), seconds=20.0)
        assert time.monotonic() - began < 20
        over.set()
    assert {talk.received(token) for token in range(100, 120)} == {b"good dog"}
    assert all(isinstance(talk.until_opened(token), Opened) for token in range(100, 120))


FEW_DESCRIPTORS = """
import socket, sys, time
from ipaddress import ip_address
from leadline.link.kernel import KernelNetwork
from leadline.net.base import Endpoint, Received
held = [open("/dev/null") for _ in range(70)]  # more than the reserve: the dialer's own counting is not enough
dialer = KernelNetwork().dialer(None)
for token in range(300):
    dialer.open(token, Endpoint(ip_address("127.0.0.1"), int(sys.argv[1])))
got, until = set(), time.monotonic() + 20
while len(got) < 300 and time.monotonic() < until:
    for event in dialer.poll(0.1):
        if isinstance(event, Received):
            got.add(event.token)
            dialer.close(event.token)
print(dialer.capacity, len(got))
"""


def test_few_descriptors_are_waited_for() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))

    with serving(lambda opened: opened.sendall(b"hello") or (opened.recv(1) and None)) as port:
        done = subprocess.run(
            [sys.executable, "-c", FEW_DESCRIPTORS, str(port)],
            preexec_fn=limit, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
            env={"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split() == ["32", "300"]
