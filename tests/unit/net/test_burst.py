"""Bursts of attempts at loopback, where every answer is there at once."""

from __future__ import annotations

import errno
import socket
import time
from ipaddress import ip_address

import pytest

from leadline.net import burst as module
from leadline.net.burst import SpareSockets, launch, scope_index
from leadline.net.origin import Origin

V4, V6 = ip_address("127.0.0.1"), ip_address("::1")


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


def test_what_becomes_of_attempts() -> None:
    spares, refused = SpareSockets(), closed_port()
    with socket.create_server(("127.0.0.1", 0)) as v4, socket.create_server(("::1", 0), family=socket.AF_INET6) as v6:
        before = time.monotonic()
        made = launch(
            [
                (1, V4, refused, ""),
                (2, V4, v4.getsockname()[1], ""),
                (3, V6, v6.getsockname()[1], "lo"),
                (4, V4, refused, ""),
                (5, ip_address("fe80::1"), 80, ""),
            ],
            spares,
            time.monotonic,
        )
        assert [end[:2] for end in made.refused] == [(1, errno.ECONNREFUSED), (4, errno.ECONNREFUSED)]
        assert before <= made.refused[0][2] <= made.refused[1][2] <= time.monotonic()
        assert [(attempt[0], error) for attempt, _, error in made.others] == [(2, 0), (3, 0), (5, errno.EINVAL)]
        assert (made.pending, list(made.unopened)) == ([], [])
        for _, opened, _ in made.others:
            opened.close()
    spares.close()


def test_a_refused_socket_connects_again_from_another_port() -> None:
    spares, refused = SpareSockets(), closed_port()
    launch([(1, V4, refused, "")], spares, time.monotonic)
    kept = spares.take(socket.AF_INET)
    spares.put(kept)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = set()
        for _ in range(3):
            made = launch([(1, V4, refused, ""), (2, V4, server.getsockname()[1], "")], spares, time.monotonic)
            ((_, opened, error),) = made.others
            assert error == 0
            assert (opened is kept) == (not ports)
            ports.add(opened.getsockname()[1])
            accepted, peer = server.accept()
            assert peer == opened.getsockname()
            accepted.close()
            opened.close()
        assert len(ports) == 3
    spares.close()


def test_a_connection_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(socket.socket):
        def connect_ex(self, address: object) -> int:
            return errno.EINPROGRESS

    monkeypatch.setattr(module.socket, "socket", Slow)
    spares = SpareSockets()
    made = launch([(7, V4, 80, ""), (8, V6, 81, "lo")], spares, time.monotonic)
    assert [(one.token, one.destination) for one in made.pending] == [
        (7, ("127.0.0.1", 80)),
        (8, ("::1", 81, 0, scope_index("lo"))),
    ]
    for one in made.pending:
        one.opened.close()


def test_an_error_that_came_during_connect_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(socket.socket):
        def connect_ex(self, address: object) -> int:
            return errno.EALREADY

        def getsockopt(self, level: int, option: int) -> int:  # type: ignore[override]
            assert (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR)
            return errno.ENETUNREACH

    monkeypatch.setattr(module.socket, "socket", Unreachable)
    made = launch([(7, V4, 80, "")], SpareSockets(), time.monotonic)
    ((attempt, opened, error),) = made.others
    assert (attempt[0], error) == (7, errno.ENETUNREACH)
    opened.close()


def test_without_sockets_nothing_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*arguments: int) -> socket.socket:
        raise OSError(errno.EMFILE, "none")

    monkeypatch.setattr(module.socket, "socket", none_left)
    attempts = [(token, V4, 80, "") for token in range(3)]
    made = launch(attempts, SpareSockets(), time.monotonic)
    assert list(made.unopened) == attempts
    assert made.error == errno.EMFILE


def test_scopes() -> None:
    assert scope_index("") == 0
    assert scope_index("lo") == socket.if_nametoindex("lo")
    assert scope_index("4294967297") == 1
    assert scope_index("no-such-device") is scope_index("\0") is None


def test_sockets_that_cannot_start_where_they_should(monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Origin()
    monkeypatch.setattr(origin, "prepare", lambda opened: errno.EADDRNOTAVAIL)
    attempts = [(token, ip_address("127.0.0.1"), 9, "") for token in range(3)]
    burst = launch(attempts, SpareSockets(origin), lambda: 0.0)
    assert (list(burst.unopened), burst.error) == (attempts, errno.EADDRNOTAVAIL)
