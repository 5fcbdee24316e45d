import pytest

from leadline.model.service import TlsFacts
from leadline.services.commands import Close, Open, Send, StartTls
from leadline.services.start_tls import MOST, StartTlsConversation, can_start_tls
from leadline.services.waiting import Waits
from tests.support.playbook import RTT, TLS, Playbook

GREETING = b"\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff\xff\x21\x02\0" + b"\0" * 20
NO_SSL = b"\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff\xf7\x21\x02\0" + b"\0" * 20

Dialogue = list[tuple[bytes, bytes]]
GOOD: dict[str, Dialogue] = {
    "smtp": [
        (b"220 mail ESMTP\r\n", b"EHLO leadline.invalid\r\n"),
        (b"250-mail\r\n250-STARTTLS\r\n250 HELP\r\n", b"STARTTLS\r\n"),
        (b"220 go ahead\r\n", b""),
    ],
    "lmtp": [
        (b"220 mail LMTP\r\n", b"LHLO leadline.invalid\r\n"),
        (b"250-mail\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"),
        (b"220 2.0.0 Ready\r\n", b""),
    ],
    "ftp": [(b"220-Hello\r\n 220 not yet\r\n220 FTP\r\n", b"AUTH TLS\r\n"), (b"234 go\r\n", b"")],
    "imap": [(b"* OK ready\r\n", b"a1 STARTTLS\r\n"), (b"* CAPABILITY X\r\na1 OK begin\r\n", b"")],
    "pop3": [(b"+OK ready\r\n", b"STLS\r\n"), (b"+OK begin\r\n", b"")],
    "nntp": [(b"200 news\r\n", b"STARTTLS\r\n"), (b"382 go\r\n", b"")],
    "sieve": [(b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n', b"STARTTLS\r\n"), (b'OK "begin"\r\n', b"")],
    "ldap": [
        (b"", b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
        (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00", b""),
    ],
    "postgresql": [(b"", b"\0\0\0\x08\x04\xd2\x16\x2f"), (b"S", b"")],
    "mysql": [(len(GREETING).to_bytes(3, "little") + b"\0" + GREETING, b"")],
    "ms-wbt-server": [
        (b"", bytes.fromhex("030000130ee000000000000100080003000000")),
        (bytes.fromhex("030000130ed000001234000201080002000000"), b""),
    ],
}
BAD: dict[str, list[bytes]] = {
    "smtp": [b"220 mail\r\n", b"250 HELP\r\n"],
    "ftp": [b"220 FTP\r\n", b"502 no\r\n"],
    "imap": [b"* BYE\r\n"],
    "pop3": [b"+OK\r\n", b"-ERR\r\n"],
    "nntp": [b"200 news\r\n", b"580 no\r\n"],
    "sieve": [b'"X"\r\nOK\r\n'],
    "ldap": [b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00"],
    "postgresql": [b"N"],
    "mysql": [len(NO_SSL).to_bytes(3, "little") + b"\0" + NO_SSL],
    "xmpp": [b"<stream:stream><stream:features></stream:features>"],
    "ms-wbt-server": [bytes.fromhex("030000130ed000001234000301080002000000")],
    "lmtp": [b"554 no\r\n"],
}


def sent(commands: list[object]) -> bytes:
    return b"".join(command.data for command in commands if isinstance(command, Send))


@pytest.mark.parametrize("service", GOOD)
def test_the_server_agrees(service: str) -> None:
    talk = StartTlsConversation(service, "www.example", Waits(), RTT)
    play = Playbook(talk)
    assert play.commands() == [Open(0)]
    commands = play.opened(0)
    for reply, answer in GOOD[service]:
        if reply:
            commands = play.received(0, reply)
        if answer:
            assert sent(commands) == answer
    assert commands[-1] == StartTls(0)
    commands = play.opened(0, tls=True)
    assert commands == [Close(0)]
    assert talk.done
    assert talk.facts == TlsFacts(TLS.version, TLS.cipher, via=service)


@pytest.mark.parametrize("service", BAD)
def test_the_server_does_not(service: str) -> None:
    talk = StartTlsConversation(service, "", Waits(), RTT)
    play = Playbook(talk)
    play.commands()
    play.opened(0)
    commands = []
    for reply in BAD[service]:
        commands = play.received(0, reply)
    assert commands == [Close(0)]
    assert talk.done
    assert talk.facts is None


def test_jabber_names_its_host() -> None:
    for name, to in (("chat.example", b"to='chat.example'"), ("evil' x='", b"to='localhost'"), ("", b"to='localhost'")):
        talk = StartTlsConversation("xmpp", name, Waits(), RTT)
        play = Playbook(talk)
        play.commands()
        assert to in sent(play.opened(0))
        wanted = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
        reply = b"<stream:features>" + wanted + b"</stream:features>"
        assert sent(play.received(0, reply)) == wanted
        assert play.received(0, b"<proceed/>") == [StartTls(0)]


def test_replies_may_come_in_pieces() -> None:
    talk = StartTlsConversation("smtp", "", Waits(), RTT)
    play = Playbook(talk)
    play.commands()
    play.opened(0)
    for piece in (b"22", b"0 mail"):
        assert play.received(0, piece) == []
    assert sent(play.received(0, b"\r\n")) == b"EHLO leadline.invalid\r\n"


def test_silence_and_floods_end_it() -> None:
    silent = StartTlsConversation("smtp", "", Waits(), RTT)
    play = Playbook(silent)
    play.commands()
    play.opened(0)
    assert play.at(5.0) == [Close(0)]
    assert silent.done
    assert silent.next_timer() is None
    flood = StartTlsConversation("imap", "", Waits(), RTT)
    play = Playbook(flood)
    play.commands()
    play.opened(0)
    assert play.received(0, b"x" * (MOST + 1)) == [Close(0)]


def test_an_end_ends_it() -> None:
    talk = StartTlsConversation("pop3", "", Waits(), RTT)
    play = Playbook(talk)
    play.commands()
    play.refused(0)
    assert talk.done


def test_which_services_can() -> None:
    assert all(can_start_tls(service) for service in (*GOOD, "xmpp-client", "jabber"))
    assert not can_start_tls("http")
