"""Dialogues a second on loopback: the epoll dialer beside asyncio's streams, with the same servers in one run."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from multiprocessing.connection import Connection

from bench.table import ratio, table
from leadline.link.kernel import KernelClock
from leadline.net.base import Ended, Endpoint, Opened, Received
from leadline.net.dialer import EpollDialer
from leadline.net.tls import tolerant_context

AT_ONCE = 500
PLAIN, TLS = 10_000, 1_000
BANNER = b"SSH-2.0-bench\r\n"
RUNS = 3


def dialer() -> str:
    """Open, read a banner, close (and with TLS): our dialer beside asyncio streams, 500 at once."""
    rows = []
    for name, count, secret in (("plain", PLAIN, False), ("TLS", TLS, True)):
        with _server(secret) as port:
            ours = _best(lambda port=port, count=count, secret=secret: _dial(port, count, secret))
            peers = _best(lambda port=port, count=count, secret=secret: asyncio.run(_stream(port, count, secret)))
        for who, (wall, cpu) in (("dialer", ours), ("asyncio", peers)):
            rows.append([f"{name}, {who}", f"{count / wall:,.0f}", f"{cpu / count * 1e6:.0f} us", ratio(cpu, peers[1])])
    return table(["dialogues", "a second", "own CPU each", "CPU / asyncio"], rows)


def _best(run: Callable[[], None]) -> tuple[float, float]:
    """Least wall and CPU seconds of this process, of a few runs."""
    costs = []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        costs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(wall for wall, _ in costs), min(cpu for _, cpu in costs)


def _dial(port: int, count: int, secret: bool) -> None:
    made = EpollDialer(KernelClock(), AT_ONCE)
    where = Endpoint(ip_address("127.0.0.1"), port, tls=secret)
    for token in range(count):
        made.open(token, where)
    left = count
    while left:
        for event in made.poll(1.0):
            if isinstance(event, Received):
                assert event.data == BANNER
                made.close(event.token)
                left -= 1
            elif isinstance(event, Ended):
                raise RuntimeError(event.message)
            else:
                assert isinstance(event, Opened)
    made.close_all()


async def _stream(port: int, count: int, secret: bool) -> None:
    gate = asyncio.Semaphore(AT_ONCE)
    context = tolerant_context() if secret else None

    async def one() -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            assert await reader.read(65536) == BANNER
            writer.close()
            with contextlib.suppress(OSError, ssl.SSLError):
                await writer.wait_closed()

    await asyncio.gather(*(one() for _ in range(count)))


@contextlib.contextmanager
def _server(secret: bool) -> Iterator[int]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs, secret), daemon=True)
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(told: Connection, secret: bool) -> None:
    """Greet everybody; close when they do."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as server, select.epoll() as poll:
        context = _context() if secret else None
        told.send(server.getsockname()[1])
        server.setblocking(False)
        poll.register(server, select.EPOLLIN)
        opened: dict[int, socket.socket] = {}
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == server.fileno():
                    with contextlib.suppress(BlockingIOError):
                        for _ in range(64):
                            each, _ = server.accept()
                            each.setblocking(False)
                            if context is not None:
                                each = context.wrap_socket(each, server_side=True, do_handshake_on_connect=False)
                            else:
                                each.send(BANNER)
                            opened[each.fileno()] = each
                            poll.register(each, select.EPOLLIN)
                else:
                    _answer(opened, descriptor)


def _answer(opened: dict[int, socket.socket], descriptor: int) -> None:
    each = opened[descriptor]
    try:
        if isinstance(each, ssl.SSLSocket) and each.version() is None:
            each.do_handshake()
            each.send(BANNER)
            return
        if each.recv(1000):
            return
    except (ssl.SSLWantReadError, BlockingIOError):
        return
    except OSError:
        pass
    del opened[descriptor]
    each.close()


def _context() -> ssl.SSLContext:
    from tests.support.certificates import server_context

    return server_context()
