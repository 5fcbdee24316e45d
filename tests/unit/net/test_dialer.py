"""Many dialogues over one dialer, with real servers on loopback."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from leadline.net import dialer as module
from leadline.net import stream as stream_module
from leadline.net.base import MOST_AT_ONCE, Endpoint, Opened, Received
from leadline.net.dialer import SELF_CONNECT_TRIES, EpollDialer
from tests.support.certificates import server_context
from tests.support.dialing import RealClock, Talk, closed_port, here, serving


@pytest.fixture
def talk() -> Iterator[Talk]:
    dialer = EpollDialer(RealClock(), 500)
    yield Talk(dialer)
    dialer.close_all()


def greet(opened: socket.socket) -> None:
    opened.sendall(b"220 ready\r\n")
    opened.sendall(b"you said " + opened.recv(100))


def echo_tls(opened: socket.socket) -> None:
    with server_context().wrap_socket(opened, server_side=True) as tls:
        tls.sendall(tls.recv(1000))


def test_a_dialogue(talk: Talk) -> None:
    before = time.monotonic()
    with serving(greet) as port:
        talk.dialer.open(1, here(port))
        talk.until_opened(1)
        talk.until_received(1, b"220 ready\r\n")
        talk.dialer.send(1, b"EHLO")
        talk.until_ended(1)
    assert talk.received(1) == b"220 ready\r\nyou said EHLO"
    assert talk.ended(1) == ("stream", 0, "")
    assert talk.kinds(1) == ["Opened", "Received", "Ended"]
    assert all(before <= event.at <= time.monotonic() for event in talk.events)


def test_what_is_sent_before_it_is_open_is_sent_then(talk: Talk) -> None:
    with serving(greet) as port:
        talk.dialer.open(1, here(port))
        talk.dialer.send(1, b"early")
        talk.until_ended(1)
    assert talk.received(1).endswith(b"you said early")


def test_refused(talk: Talk) -> None:
    talk.dialer.open(1, here(closed_port()))
    talk.until_ended(1)
    assert talk.ended(1) == ("connect", errno.ECONNREFUSED, "Connection refused")


def test_ipv6_and_scopes(talk: Talk) -> None:
    with serving(greet, "::1") as port:
        talk.dialer.open(1, here(port, host="::1"))
        talk.dialer.open(2, Endpoint(ip_address("::1"), port, scope="lo"))
        talk.dialer.open(3, Endpoint(ip_address("fe80::1"), port, scope="no-such-device"))
        talk.dialer.open(4, Endpoint(ip_address("fe80::1"), port))
        talk.until_received(1, b"220 ready\r\n")
        talk.until_received(2, b"220 ready\r\n")
        talk.until_ended(3, 4)
    assert talk.ended(3) == ("connect", errno.ENODEV, "No such device")
    assert talk.ended(4) == ("connect", errno.EINVAL, "Invalid argument")


def test_tls(talk: Talk) -> None:
    with serving(echo_tls) as port:
        talk.dialer.open(1, here(port, tls=True, name="host.example"))
        opened = talk.until_opened(1)
        assert opened.tls is not None
        assert opened.tls.version == "TLSv1.3"
        assert opened.tls.certificate is not None
        assert opened.tls.certificate.names == ("host.example",)
        talk.dialer.send(1, b"GET / HTTP/1.0\r\n\r\n")
        talk.until_ended(1)
    assert talk.received(1) == b"GET / HTTP/1.0\r\n\r\n"
    assert talk.ended(1)[:2] == ("stream", 0)


def test_tls_after_a_plain_beginning(talk: Talk) -> None:
    def upgrade(opened: socket.socket) -> None:
        opened.sendall(b"220 hello\r\n")
        assert opened.recv(100) == b"STARTTLS\r\n"
        opened.sendall(b"220 go\r\n")
        echo_tls(opened)

    with serving(upgrade) as port:
        talk.dialer.open(1, here(port))
        talk.until_received(1, b"220 hello\r\n")
        talk.dialer.send(1, b"STARTTLS\r\n")
        talk.until_received(1, b"220 hello\r\n220 go\r\n")
        talk.dialer.start_tls(1, "host.example")
        talk.dialer.send(1, b"EHLO again")
        talk.until_ended(1)
    opened = [each for each in talk.events if isinstance(each, Opened)]
    assert [each.tls is not None for each in opened] == [False, True]
    assert talk.received(1).endswith(b"EHLO again")


def test_tls_cannot_begin_on_anything_but_an_open_plain_stream(talk: Talk) -> None:
    with serving(echo_tls) as port:
        talk.dialer.open(1, here(port, tls=True))
        with pytest.raises(ValueError, match="1"):
            talk.dialer.start_tls(1)
        talk.until_opened(1)
        with pytest.raises(ValueError, match="1"):
            talk.dialer.start_tls(1)
        talk.dialer.open(2, here(port, udp=True))
        with pytest.raises(ValueError, match="2"):
            talk.dialer.start_tls(2)
        talk.dialer.start_tls(99)  # ended meanwhile, perhaps


def test_no_tls_where_it_was_expected(talk: Talk) -> None:
    with serving(greet) as port:
        talk.dialer.open(1, here(port, tls=True))
        talk.until_ended(1)
    assert talk.ended(1) == ("tls", errno.EPROTO, "wrong version number")


def test_closing_in_the_middle_of_a_handshake(talk: Talk) -> None:
    with (
        serving(lambda opened: opened.recv(5) and None) as port,
        serving(lambda opened: opened.recv(5000) and None) as other,
    ):
        talk.dialer.open(1, here(port, tls=True))  # unread bytes: the kernel resets
        talk.dialer.open(2, here(other, tls=True))
        talk.until_ended(1, 2)
    assert talk.ended(1)[:2] == ("tls", errno.ECONNRESET)
    assert talk.ended(2) == ("tls", 0, "closed during the handshake")


def test_an_alert(talk: Talk) -> None:
    context = server_context(version=ssl.TLSVersion.TLSv1_2, ciphers="AES128-SHA")  # which its key cannot serve

    def refuse(opened: socket.socket) -> None:
        context.wrap_socket(opened, server_side=True)

    with serving(refuse) as port:
        talk.dialer.open(1, here(port, tls=True))
        talk.until_ended(1)
    assert talk.ended(1) == ("tls", errno.EPROTO, "sslv3 alert handshake failure")


def test_a_reset(talk: Talk) -> None:
    def reset(opened: socket.socket) -> None:
        opened.sendall(b"last words")
        time.sleep(0.05)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, stream_module.RESET_ON_CLOSE)

    with serving(reset) as port:
        talk.dialer.open(1, here(port))
        talk.until_ended(1)
    assert talk.received(1) == b"last words"
    assert talk.ended(1) == ("stream", errno.ECONNRESET, "Connection reset by peer")


def test_a_flood_is_cut_into_pieces_and_starves_nobody(talk: Talk) -> None:
    def flood(opened: socket.socket) -> None:
        while True:
            opened.sendall(bytes(1 << 20))

    with serving(flood) as fast, serving(greet) as slow:
        for token in range(5):
            talk.dialer.open(token, here(fast))
        for token in range(10, 30):
            talk.dialer.open(token, here(slow))
            talk.dialer.send(token, b"x")
        talk.until_ended(*range(10, 30))
        for token in range(5):
            assert len(talk.received(token)) > 100_000
            talk.dialer.close(token)
    assert max(len(each.data) for each in talk.events if isinstance(each, Received)) <= MOST_AT_ONCE


def test_one_turn_reads_once_from_each(talk: Talk) -> None:
    ready = threading.Barrier(3)

    def much(opened: socket.socket) -> None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        opened.sendall(bytes(200_000))
        ready.wait(10)
        opened.recv(1)

    with serving(much) as port:
        talk.dialer.open(1, here(port))
        talk.dialer.open(2, here(port))
        talk.until_opened(1)
        talk.until_opened(2)
        talk.until(lambda: ready.n_waiting == 2)
        ready.wait(10)
        while events := talk.dialer.poll(0.0):
            tokens = [each.token for each in events]
            assert len(tokens) == len(set(tokens))


def test_a_hundred_megabytes_are_received_whole(talk: Talk) -> None:
    size, got = 100 << 20, 0

    def send(opened: socket.socket) -> None:
        piece = bytes(1 << 20)
        for _ in range(100):
            opened.sendall(piece)

    with serving(send) as port:
        talk.dialer.open(1, here(port))
        while got < size:
            events = talk.dialer.poll(5.0)
            assert events
            got += sum(len(each.data) for each in events if isinstance(each, Received))
    assert got == size


def test_who_never_reads_ends_the_stream(talk: Talk) -> None:
    done = threading.Event()
    with serving(lambda opened: bool(done.wait(10)) and None) as port:
        talk.dialer.open(1, here(port))
        talk.until_opened(1)
        for _ in range(100):
            talk.dialer.send(1, bytes(1 << 18))
        talk.until_ended(1)
        done.set()
    assert talk.ended(1)[:2] == ("stream", errno.ENOBUFS)
    talk.dialer.send(1, b"nothing happens")


def test_much_is_sent_as_the_other_side_reads(talk: Talk) -> None:
    def count(opened: socket.socket) -> None:
        got = 0
        while got < 900_000:
            time.sleep(0.001)
            got += len(opened.recv(65536))
        opened.sendall(b"all")

    with serving(count) as port:
        talk.dialer.open(1, here(port))
        talk.dialer.send(1, bytes(900_000))
        talk.until_ended(1)
    assert talk.received(1) == b"all"


def test_more_than_the_capacity_waits_its_turn() -> None:
    dialer = EpollDialer(RealClock(), 3)
    assert dialer.capacity == 3
    talk, most = Talk(dialer), 0
    with serving(lambda opened: opened.sendall(b"hello")) as port:
        for token in range(40):
            dialer.open(token, here(port))
            dialer.send(token, b"x")
            most = max(most, len(dialer._open))
        dialer.close(39)
        with pytest.raises(ValueError, match="38"):
            dialer.start_tls(38)
        talk.until_ended(*range(39))
    assert most == 3
    assert {talk.received(token) for token in range(39)} == {b"hello"}
    assert talk.kinds(39) == []
    dialer.close_all()


def test_closed_streams_say_nothing_more(talk: Talk) -> None:
    with serving(greet) as port:
        talk.dialer.open(1, here(closed_port()))  # has ended already, not told yet
        talk.dialer.close(1)
        talk.dialer.open(2, here(port))
        talk.dialer.open(2, here(closed_port()))  # in use: closed before
        talk.dialer.close(99)
        talk.until_ended(2)
    assert talk.kinds(1) == []
    assert talk.ended(2) == ("connect", errno.ECONNREFUSED, "Connection refused")
    assert talk.dialer.poll(0.0) == []


def test_poll_waits_as_long_as_asked(talk: Talk) -> None:
    before = time.monotonic()
    assert talk.dialer.poll(0.05) == []
    assert time.monotonic() - before >= 0.04


def test_a_connection_to_oneself_is_tried_again(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    real, port, made = socket.socket, closed_port(), []

    def bound(family: int, kind: int, protocol: int) -> socket.socket:
        opened = real(family, kind, protocol)
        if len(made) < tricks:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, stream_module.RESET_ON_CLOSE)
            opened.bind(("127.0.0.1", port))
        made.append(opened)
        return opened

    monkeypatch.setattr(stream_module.socket, "socket", bound)
    tricks = 1
    talk.dialer.open(1, here(port))
    talk.until_ended(1)
    assert talk.ended(1)[:2] == ("connect", errno.ECONNREFUSED)
    assert talk.kinds(1) == ["Ended"]
    tricks, made = SELF_CONNECT_TRIES, []
    talk.dialer.open(2, here(port))
    talk.until_ended(2)
    assert talk.ended(2)[:2] == ("connect", errno.EAGAIN)


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENOBUFS])
def test_our_own_shortage_is_waited_out(talk: Talk, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    real, refused = stream_module.Stream.connect, []

    def short(stream: stream_module.Stream, family: int, destination: stream_module.SocketAddress) -> int:
        if len(refused) < 3:
            refused.append(1)
            stream.close()
            return error
        return real(stream, family, destination)

    with serving(greet) as port:
        monkeypatch.setattr(stream_module.Stream, "connect", short)
        talk.dialer.open(1, here(port))
        talk.dialer.send(1, b"kept")
        talk.dialer.open(2, here(port))
        talk.dialer.send(2, b"kept")
        talk.until_ended(1, 2)
    assert talk.received(1).endswith(b"you said kept")
    assert talk.received(2).endswith(b"you said kept")


def test_a_destination_without_ports_of_ours_holds_up_nobody_else(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = stream_module.Stream.connect

    def short(stream: stream_module.Stream, family: int, destination: stream_module.SocketAddress) -> int:
        return errno.EADDRNOTAVAIL if destination[1] == 1 else real(stream, family, destination)

    monkeypatch.setattr(stream_module.Stream, "connect", short)
    with serving(greet) as port:
        for token in range(20):
            talk.dialer.open(token, here(port if token % 2 else 1))
            talk.dialer.send(token, b"x")
        talk.until_ended(*range(1, 20, 2), seconds=2.0)
    assert talk.ended_tokens() == set(range(1, 20, 2))


def test_a_socket_that_cannot_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    dialer = EpollDialer(RealClock(), 5)
    talk, real = Talk(dialer), dialer._epoll

    class Full:
        def register(self, descriptor: int, mask: int) -> None:
            raise OSError(errno.ENOSPC, "scripted")

        def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
            return []

        close = real.close

    monkeypatch.setattr(dialer, "_epoll", Full())
    with serving(greet) as port:
        dialer.open(1, here(port))
        talk.until_ended(1)
    assert talk.ended(1)[:2] == ("connect", errno.ENOSPC)
    dialer.close_all()


def test_a_shortage_without_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = RealClock()
    dialer = EpollDialer(clock, 5)
    monkeypatch.setattr(stream_module.Stream, "connect", lambda *arguments: errno.EADDRNOTAVAIL)
    dialer.open(1, here(1))
    assert dialer.poll(0.02) == []
    clock.ahead = module.SHORTAGE_SECONDS + 1
    talk = Talk(dialer)
    talk.until_ended(1)
    assert talk.ended(1) == ("connect", errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    dialer.close_all()


def test_closing_with_a_reset() -> None:
    dialer, seen = EpollDialer(RealClock(), 5, reset=True), []

    def look(opened: socket.socket) -> None:
        try:
            seen.append(opened.recv(1))
        except ConnectionResetError:
            seen.append(b"reset")

    talk = Talk(dialer)
    with serving(look) as port:
        dialer.open(1, here(port))
        talk.until_opened(1)
        dialer.close(1)
        talk.until(lambda: bool(seen))
    assert seen == [b"reset"]
    dialer.close_all()


def test_dtls_is_not_spoken(talk: Talk) -> None:
    talk.dialer.open(1, here(443, tls=True, udp=True))
    talk.until_ended(1)
    assert talk.ended(1) == ("tls", errno.EPROTONOSUPPORT, "DTLS is not spoken")


def test_a_thousand_at_once() -> None:
    dialer = EpollDialer(RealClock(), 1000)
    talk = Talk(dialer)
    with socket.create_server(("127.0.0.1", 0), backlog=2000) as server:
        port = int(server.getsockname()[1])

        def answer() -> None:
            opened = [server.accept()[0] for _ in range(400)]
            for each in opened:
                each.sendall(b"hello")
                each.close()

        threading.Thread(target=answer, daemon=True).start()
        for token in range(400):
            dialer.open(token, here(port))
        talk.until_ended(*range(400))
    assert all(talk.kinds(token) == ["Opened", "Received", "Ended"] for token in range(0, 400, 37))
    dialer.close_all()


def test_until_when_one_may_sleep(talk: Talk) -> None:
    now = time.monotonic()
    assert talk.dialer.next_look(now + 5) == now + 5
    assert talk.dialer.descriptor >= 0
    with serving(lambda opened: None) as port:
        talk.dialer.open(1, Endpoint(ip_address("fe80::1"), port, scope="nosuch0"))
        assert talk.dialer.next_look(now + 5) < now, "its end is known already"
        talk.until_ended(1)
