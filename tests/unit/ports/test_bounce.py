"""The dialogue of the bounce scan with FTP servers made of a few lines: helpful, refusing, silent and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.plan import FtpRelay
from leadline.model.port import PortState
from leadline.ports.bounce import MOST_FAILURES, MOST_LINE, BounceDialogue, Command, Replies, Reply

TARGET = IPv4Address("10.1.2.3")
# What the server says to a command: bytes, or nothing (silence), or a hang up.
HANG_UP = b"\0hang up"
Answer = Callable[[str, int], bytes]


def polite(command: str, port: int) -> bytes:
    word = command.split(maxsplit=1)[0]
    if word == "LIST":
        return b"150 Here it comes\r\n226 Done\r\n" if port % 2 else b"425 Cannot connect\r\n"
    return {
        "HELLO": b"220-Welcome\r\n 220 not yet\r\n220 to this server\r\n", "USER": b"331 Password\r\n",
        "PASS": b"230 Come in\r\n", "PORT": b"200 Fine\r\n", "ABOR": b"226 Aborted\r\n", "QUIT": b"221 Bye\r\n",
    }[word]  # fmt: skip


def but(**other: bytes) -> Answer:
    return lambda command, port: other.get(command.split()[0]) or polite(command, port)


class Run:
    """A whole dialogue; ``said``: commands in order."""

    def __init__(self, answer: Answer, *ports: int, relay: FtpRelay | None = None, chunk: int = 0) -> None:
        self.said: list[str] = []
        self.opened = 0
        dialogue = self.dialogue = BounceDialogue(relay or FtpRelay("ftp"), TARGET, ports or (8001, 8002), 10.0)
        now, port, turns = 10.0, 0, 0
        while not dialogue.done:
            turns += 1
            assert turns < 5000
            replies: list[bytes] = []
            for one in dialogue.poll(now):
                if one is Command.OPEN:
                    self.opened += 1
                    dialogue.opened(now)
                    replies.append(answer("HELLO", 0))
                elif isinstance(one, bytes):
                    assert one.endswith(b"\r\n")
                    command = one.decode()[:-2]
                    self.said.append(command)
                    if command.startswith("PORT"):
                        high, low = command.split(",")[-2:]
                        port = int(high) << 8 | int(low)
                    replies.append(answer(command, port))
            for data in replies:
                if data == HANG_UP:
                    dialogue.ended(now, "it hung up")
                elif data != b" ":
                    pieces = [data[at : at + chunk] for at in range(0, len(data), chunk)] if chunk else [data]
                    for piece in pieces:
                        dialogue.received(piece, now)
            if not any(replies) or replies == [b" "]:
                now = max(now, dialogue.next_timer())
            now += 0.001
        self.seconds = now - 10.0

    @property
    def states(self) -> dict[int, PortState]:
        return {port: verdict.state for port, verdict in self.dialogue.verdicts.items()}


@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_open_and_closed(chunk: int) -> None:
    run = Run(polite, 8001, 8002, 65535, chunk=chunk)
    assert run.states == {8001: PortState.OPEN, 8002: PortState.CLOSED, 65535: PortState.OPEN}
    assert run.said[:4] == ["USER anonymous", "PASS anonymous@", "PORT 10,1,2,3,31,65", "LIST"]
    assert run.said[-1] == "QUIT"
    assert run.opened == 1
    assert run.dialogue.failure == ""
    assert run.dialogue.progress() == 1
    assert run.dialogue.verdicts[8002].reply == "425 Cannot connect"


def test_who_logs_in() -> None:
    run = Run(polite, relay=FtpRelay("ftp", 21, "me", "secret"))
    assert run.said[:2] == ["USER me", "PASS secret"]
    assert Run(but(USER=b"230 No password needed\r\n")).said[1].startswith("PORT")


def test_a_broken_transfer_was_a_connection() -> None:
    assert Run(but(LIST=b"150 Opening\r\n426 Broken\r\n"), 8002).states == {8002: PortState.OPEN}


def test_silence_about_the_transfer_is_a_filter() -> None:
    for silent in (b" ", b"150 Opening\r\n"):
        run = Run(but(LIST=silent), 8001, 8002)
        assert run.states == {8001: PortState.FILTERED, 8002: PortState.FILTERED}
        assert "ABOR" in run.said
        assert run.opened == 1
        assert 18 < run.seconds < 60


def test_a_server_that_does_not_hear_the_abort_is_left() -> None:
    run = Run(but(LIST=b" ", ABOR=b" "), 8001, 8002)
    assert run.states == {8001: PortState.FILTERED, 8002: PortState.FILTERED}
    assert run.opened == 2


def test_a_late_reply_does_not_count_for_the_next_port() -> None:
    def answer(command: str, port: int) -> bytes:
        if command == "LIST" and port == 8001:
            return b" "
        if command == "ABOR":
            return b"425 Too late\r\n225 Aborted\r\n"
        return polite(command, port)

    assert Run(answer, 8001, 8003).states == {8001: PortState.FILTERED, 8003: PortState.OPEN}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (but(PORT=b"500 Illegal PORT command.\r\n"), "refuses to connect elsewhere (500 Illegal PORT command.)"),
        (but(PORT=b"\x1b[2J"), "hangs up, or stops answering"),
        (but(HELLO=b"421 Too many\r\n"), "did not greet us (421 Too many)"),
        (but(HELLO=b" "), "did not greet us (no answer)"),
        (but(HELLO=HANG_UP), "did not greet us (the connection ended)"),
        (but(USER=b"530 No\x1b[1m\r\n"), "does not let 'anonymous' in (530 No?[1m)"),
        (but(PASS=b"530 Never\r\n"), "does not let 'anonymous' in (530 Never)"),
        (but(PORT=HANG_UP), "hangs up"),
        (but(LIST=HANG_UP), "hangs up"),
        (but(LIST=b"421 Timeout\r\n"), "hangs up"),
        (but(HELLO=b"x" * 100_000 + b"\r\n"), "did not greet us (no answer)"),
        (but(HELLO=b"220-" + b"more\r\n" * 10_000, USER=b" "), "does not let"),
    ],
)
def test_servers_of_no_use(answer: Answer, words: str) -> None:
    run = Run(answer)
    assert words in run.dialogue.failure
    assert run.states == {}
    assert run.opened <= MOST_FAILURES
    assert run.seconds < 100


@pytest.mark.parametrize("refusal", [but(PORT=b"500 Illegal\r\n"), but(LIST=b"500 OOPS: Illegal port request\r\n")])
def test_privileged_ports_may_be_refused(refusal: Answer) -> None:
    def answer(command: str, port: int) -> bytes:
        return refusal(command, port) if port < 1024 else polite(command, port)

    run = Run(answer, 22, 8001, 80, 443, 8002)
    assert run.states == {8001: PortState.OPEN, 8002: PortState.CLOSED}
    assert run.dialogue.skipped == [22, 80, 443]
    # One refusal is enough.
    assert sum(command.startswith("PORT") for command in run.said) == 3


def test_last_words_of_a_server_are_not_about_the_next_port() -> None:
    """As vsftpd: its parts die one after the other, each with an error of its own."""
    dying: list[str] = []

    def answer(command: str, port: int) -> bytes:
        word = command.split(maxsplit=1)[0]
        if word == "HELLO":
            dying.clear()
        if word == "LIST" and port < 1024:
            dying.append("so it is")
            return b"500 OOPS: bind\r\n"
        return b"500 OOPS: priv_sock_get_cmd\r\n" if dying else polite(command, port)

    run = Run(answer, 22, 2222, 8081)
    assert run.dialogue.failure == ""
    assert run.dialogue.skipped == [22]
    assert run.states == {2222: PortState.CLOSED, 8081: PortState.OPEN}
    assert run.opened == 2


def test_hang_ups_in_between_are_forgiven() -> None:
    seen: list[int] = []

    def answer(command: str, port: int) -> bytes:
        if command == "LIST" and port not in seen:
            seen.append(port)
            return HANG_UP
        return polite(command, port)

    run = Run(answer, 8001, 8002, 8003, 8004, 8005)
    assert len(run.states) == 5
    assert run.opened == 6


def test_replies_are_read_and_bounded() -> None:
    replies = Replies()
    assert replies.feed(b"220 one\r\n230 two\n") == [Reply(220, "one"), Reply(230, "two")]
    long = Replies().feed(b"220 " + b"a" * 10 * MOST_LINE + b"\r\n")
    assert len(long[0].text) < MOST_LINE
    assert Replies().feed(b"999 x\r\nabc\r\n\r\n12 \r\n") == []


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    dialogue = BounceDialogue(FtpRelay("ftp"), TARGET, (80, 8080), 0.0)
    now = 0.0
    for piece in pieces:
        dialogue.poll(now)
        dialogue.received(piece, now)
        now += 1.0
    for _ in range(200):
        dialogue.poll(now)
        now = max(now, dialogue.next_timer()) + 0.1
        if dialogue.done:
            break
    assert dialogue.done


def test_words_are_escaped() -> None:
    assert Reply(500, "a\x1b\u202eb").words == "500 a??b"
    assert len(Reply(500, "a" * 1000).words) < 130
