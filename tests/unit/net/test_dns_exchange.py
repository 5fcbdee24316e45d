import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.net import dns_exchange
from leadline.net.dns_exchange import Answer, Exchange, Health
from leadline.net.system_files import NameServer
from tests.support.dns_server import DnsServer

NAME = dns.name.from_text("www.example.test")
ZONE = {"www.example.test": ["10.0.0.5", "10.0.0.6"]}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_exchange, "_PATIENCE", {1: (0.1, 0.1, 0.1), 2: (0.1, 0.1), 3: (0.1, 0.1)})


class Lying(DnsServer):
    """Each answer goes through ``lie``; it may give several datagrams."""

    lie: Callable[[dns.message.Message, bytes], list[bytes]]

    def reply(self, wire: bytes) -> bytes | None:
        answer = super().reply(wire)
        if answer is None:
            return None
        *first, last = type(self).lie(dns.message.from_wire(wire), answer)
        for datagram in first:
            self.socket.sendto(datagram, self.peer)
        return last

    def serve(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                wire, self.peer = self.socket.recvfrom(65535)
                if (answer := self.reply(wire)) is not None:
                    self.socket.sendto(answer, self.peer)


def lying(lie: Callable[[dns.message.Message, bytes], list[bytes]]) -> Lying:
    return type("Liar", (Lying,), {"lie": staticmethod(lie)})("127.0.0.1", ZONE)


def ask(*servers: NameServer, health: dict[NameServer, Health] | None = None, kind: str = "A") -> Answer:
    health = health if health is not None else {server: Health() for server in servers}

    async def scene() -> Answer:
        exchange = Exchange(health)
        try:
            return await exchange.ask(NAME, dns.rdatatype.from_text(kind))
        finally:
            exchange.close()

    return asyncio.run(scene())


def of(server: DnsServer) -> NameServer:
    return NameServer(server.address, server.port)


@pytest.fixture
def silent() -> Iterator[NameServer]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        yield NameServer("127.0.0.1", sink.getsockname()[1])


def texts(answer: Answer) -> list[str]:
    if answer.message is None:
        return []
    return sorted(record.to_text() for rrset in answer.message.answer for record in rrset)


def test_a_question_is_answered() -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        answer = ask(of(server))
    assert answer.definite
    assert texts(answer) == ["10.0.0.5", "10.0.0.6"]


def test_over_ipv6_too() -> None:
    with DnsServer("::1", ZONE) as server:
        assert texts(ask(of(server))) == ["10.0.0.5", "10.0.0.6"]


def test_a_lost_question_is_repeated() -> None:
    with DnsServer("127.0.0.1", ZONE, silent=2) as server:
        assert texts(ask(of(server))) == ["10.0.0.5", "10.0.0.6"]
        assert len(server.queries) == 3


def test_silence_ends_after_the_last_try(silent: NameServer) -> None:
    assert ask(silent) == Answer(None, False)


def test_a_port_where_nobody_listens_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_exchange, "_PATIENCE", {1: (30.0, 30.0)})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    assert ask(NameServer("127.0.0.1", port)) == Answer(None, False)


def test_the_next_server_is_asked(silent: NameServer) -> None:
    with DnsServer("127.0.0.1", ZONE) as server:
        health = {silent: Health(), of(server): Health()}
        for _ in range(2):
            assert ask(health=health).definite
        assert health[silent].unanswered == 2
        assert health[of(server)] == Health(answered=True)


@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED"])
def test_a_failing_server_is_not_believed(code: str) -> None:
    def fail(query: dns.message.Message, answer: bytes) -> list[bytes]:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(code))
        return [response.to_wire()]

    with lying(fail) as broken, DnsServer("127.0.0.1", ZONE) as server:
        assert not ask(of(broken)).definite
        assert texts(ask(of(broken), of(server))) == ["10.0.0.5", "10.0.0.6"]
        assert texts(ask(of(server), of(broken))) == ["10.0.0.5", "10.0.0.6"]


def test_a_dead_server_is_left_alone(silent: NameServer) -> None:
    health = {silent: Health(unanswered=10)}
    assert health[silent].dead
    assert ask(health=health) == Answer(None, False)
    assert health[silent].unanswered == 10  # not even tried


def test_a_server_that_answered_gets_more_patience() -> None:
    assert not Health(answered=True, unanswered=99).dead
    assert Health(answered=True, unanswered=100).dead


def change_id(query: dns.message.Message, answer: bytes) -> list[bytes]:
    return [bytes([answer[0] ^ 1]) + answer[1:]]


def other_question(query: dns.message.Message, answer: bytes) -> list[bytes]:
    forged = dns.message.make_response(dns.message.make_query("evil.test", "A", id=query.id))
    forged.answer.append(dns.rrset.from_text("evil.test.", 60, "IN", "A", "6.6.6.6"))
    return [forged.to_wire()]


def no_question(query: dns.message.Message, answer: bytes) -> list[bytes]:
    forged = dns.message.make_response(query)
    forged.question = []
    return [forged.to_wire()]


def not_a_response(query: dns.message.Message, answer: bytes) -> list[bytes]:
    return [query.to_wire()]


def garbage(query: dns.message.Message, answer: bytes) -> list[bytes]:
    return [answer[:2] + b"\xff" * 40]


@pytest.mark.parametrize("lie", [change_id, other_question, no_question, not_a_response, garbage])
def test_what_is_not_the_answer_is_not_taken_for_it(lie: Callable[[dns.message.Message, bytes], list[bytes]]) -> None:
    with lying(lie) as liar:
        assert ask(of(liar)) == Answer(None, False)
    with lying(lambda query, answer: [*lie(query, answer), answer]) as liar:
        assert texts(ask(of(liar))) == ["10.0.0.5", "10.0.0.6"]


def test_the_same_answer_twice_does_no_harm() -> None:
    with lying(lambda query, answer: [answer, answer]) as server:
        assert texts(ask(of(server))) == ["10.0.0.5", "10.0.0.6"]


def cut(query: dns.message.Message, answer: bytes) -> list[bytes]:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return [response.to_wire()]


def test_a_cut_answer_is_asked_for_over_tcp() -> None:
    with lying(cut) as server, socket.socket() as listener:
        listener.bind(("127.0.0.1", server.port))
        listener.listen()

        def serve() -> None:
            stream, _ = listener.accept()
            with stream:
                wire = stream.recv(512)[2:]
                answer = DnsServer.reply(server, wire)
                assert answer is not None
                stream.sendall(len(answer).to_bytes(2, "big") + answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert texts(ask(of(server))) == ["10.0.0.5", "10.0.0.6"]
        thread.join(5)


def test_a_cut_answer_without_tcp_is_none() -> None:
    with lying(cut) as server:
        assert ask(of(server)) == Answer(None, False)


def test_an_address_that_cannot_be_reached_is_silence() -> None:
    assert ask(NameServer("fe80::1%nosuch0")) == Answer(None, False)


@given(st.binary(max_size=80), st.booleans())
def test_no_datagram_raises(data: bytes, with_open_number: bool) -> None:
    async def scene() -> None:
        line = dns_exchange._Line(NameServer("127.0.0.1"), Health())
        query = dns.message.make_query(NAME, "A")
        future: asyncio.Future[dns.message.Message | None] = asyncio.get_running_loop().create_future()
        line._open[query.id] = (query, future)
        line.datagram_received(query.id.to_bytes(2, "big") + data if with_open_number else data, ("127.0.0.1", 53))
        assert not future.done()

    asyncio.run(scene())
