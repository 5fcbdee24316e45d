from __future__ import annotations

import pytest

from leadline.sim import services
from leadline.sim.services import (
    certificate,
    dns,
    go_http,
    greeting,
    http,
    http_response,
    https,
    imap,
    pop3,
    silent,
    smtp,
    ssh,
    wrapped,
)
from leadline.sim.speech import SimTls
from leadline.sim.world import SimService
from tests.support.sim_dialogue import Talk, answers, is_over, start_tls

GET = b"GET / HTTP/1.0\r\n\r\n"
TLS = SimTls(certificate("host.example"))


def told(service: SimService, *words: bytes, tls: bool = False) -> bytes:
    """Everything that one connection is told."""
    return b"".join(answers(service, *words, tls=tls))


def test_the_simplest_shapes() -> None:
    assert told(silent(1), GET) == b""
    assert is_over(wrapped(1))
    assert told(greeting(1, b"hi\r\n", complaint=b"what?\r\n"), b"a\r\n", b"b\r\n") == b"hi\r\nwhat?\r\nwhat?\r\n"
    assert told(greeting(1, b"hi\r\n"), b"a\r\n") == b"hi\r\n"


def test_certificates() -> None:
    own, issued = certificate("a.example", "b.example"), certificate("a.example", issuer="CN=Example CA")
    assert own.self_signed
    assert own.issuer == own.subject == "CN=a.example"
    assert own.names == ("a.example", "b.example")
    assert not issued.self_signed
    assert len(own.sha256) == 64
    assert own.sha256 != issued.sha256


def test_ssh() -> None:
    service = ssh(22, "OpenSSH_9.2p1")
    assert told(service) == b"SSH-2.0-OpenSSH_9.2p1\r\n"
    assert told(service, b"SSH-2.0-leadline\r\n") == b"SSH-2.0-OpenSSH_9.2p1\r\n"
    assert told(service, GET).endswith(b"Invalid SSH identification string.\r\n")
    assert is_over(service, GET)


def test_web() -> None:
    service = http(80, "nginx/1.22.1", title="Intranet", headers=("X-Powered-By: PHP/8.2.7",))
    said = told(service, GET)
    assert said.startswith(b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: ")
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"X-Powered-By: PHP/8.2.7\r\n" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"<title>Intranet</title>" in body
    assert told(service, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n") == head + b"\r\n\r\n"
    assert is_over(service, GET)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"OPTIONS / HTTP/1.0\r\n\r\n", b"HTTP/1.1 405"),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"HTTP/1.1 400"),
        (b"HELP\r\n", b"HTTP/1.1 400"),
        (b"\x16\x03\x00\x00S\x01\n", b"HTTP/1.1 400"),
        (b"\r\n\r\n", b""),
        (b"\r\n\r\n" + GET, b"HTTP/1.1 200"),
        (b"GET / HTTP/1.0\r\nHost: x\r\n", b""),
        (b"POST /x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 405"),
    ],
)
def test_web_requests(said: bytes, status: bytes) -> None:
    heard = told(http(80), said)
    assert heard.startswith(status)
    assert bool(heard) == bool(status)


def test_requests_in_pieces() -> None:
    assert told(http(80), b"GET / HT", b"TP/1.0\r\nHost: x\r\n", b"\r\n").startswith(b"HTTP/1.1 200")


def test_responses() -> None:
    assert http_response("204 No Content") == (
        b"HTTP/1.1 204 No Content\r\nDate: " + services._DATE + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert http_response("200 OK", ("Content-Type: text/plain",), b"x").count(b"Content-Type") == 1


def test_web_made_with_go() -> None:
    service = go_http(3000, "302 Found", ("Location: /login",), b"Found")
    said = told(service, GET)
    assert said.startswith(b"HTTP/1.0 302 Found\r\nLocation: /login\r\nDate: ")
    assert said.endswith(b"Content-Length: 5\r\n\r\nFound")
    assert told(service, b"HELP\r\n").endswith(b"\r\n\r\n400 Bad Request")
    assert is_over(service, GET)


def test_web_over_tls() -> None:
    service = https(443, "nginx", certificate("www.example"), version="TLSv1.2")
    assert told(service, GET, tls=True).startswith(b"HTTP/1.1 200 OK\r\nServer: nginx\r\n")
    assert b"sent to HTTPS port" in told(service, GET)
    assert told(service, b"\x16\x03\x01\x00\xf6\x01\x00\x00\xf2\x03\x03").startswith(b"\x16\x03\x03")


def test_mail() -> None:
    service = smtp(25, "mail.example", "Postfix", start_tls=TLS)
    said = told(service, b"EHLO x\r\n", b"HELP\r\n", b"\r\n\r\n", b"STARTTLS\r\n")
    lines = said.split(b"\r\n")
    assert lines[:2] == [b"220 mail.example ESMTP Postfix", b"250-mail.example"]
    assert b"250-STARTTLS" in lines
    assert lines[-5:] == [
        b"502 5.5.2 Error: command not recognized",
        b"500 5.5.2 Error: bad syntax",
        b"500 5.5.2 Error: bad syntax",
        b"220 2.0.0 Ready to start TLS",
        b"",
    ]
    assert b"STARTTLS" not in told(smtp(25, "mail.example", "Postfix"), b"ehlo x\r\n")
    assert told(service, b"HELO x\r\n").endswith(b"250 mail.example\r\n")
    assert told(smtp(465, "m", "Postfix", tls=TLS), tls=True) == b"220 m ESMTP Postfix\r\n"
    for last in (GET, b"QUIT\r\n"):
        assert is_over(service, last)


def test_mail_stores() -> None:
    service = imap(143, "Dovecot", start_tls=TLS)
    said = told(service, b"a1 CAPABILITY\r\n", b"\r\n", b"a2 NONSENSE\r\n", b"a3 starttls\r\n").split(b"\r\n")
    assert said[0].startswith(b"* OK [CAPABILITY IMAP4rev1 ")
    assert said[0].endswith(b"STARTTLS LOGINDISABLED] Dovecot ready.")
    assert said[1:] == [
        b"a1 OK Pre-login capabilities listed.",
        b"* BAD Error in IMAP command received by server.",
        b"a2 BAD Error in IMAP command received by server.",
        b"a3 OK Begin TLS negotiation now.",
        b"",
    ]
    assert is_over(service, b"a LOGOUT\r\n")
    assert b"AUTH=PLAIN" in told(imap(993, "Dovecot", tls=TLS), tls=True)


def test_mail_boxes() -> None:
    service = pop3(110, "Dovecot", start_tls=TLS)
    said = told(service, b"CAPA\r\n", b"HELP\r\n", b"STLS\r\n")
    assert said.startswith(b"+OK Dovecot ready.\r\n+OK\r\nCAPA\r\n")
    assert said.endswith(b"STLS\r\nSASL\r\n.\r\n-ERR Unknown command.\r\n+OK Begin TLS negotiation now.\r\n")
    assert is_over(service, b"quit\r\n")
    assert b"SASL PLAIN" in told(pop3(995, "Dovecot", tls=TLS), b"CAPA\r\n", tls=True)


def test_start_tls_leads_to_tls() -> None:
    for service, command in (
        (smtp(1, "m", "Postfix", start_tls=TLS), b"STARTTLS\r\n"),
        (imap(1, "Dovecot", start_tls=TLS), b"a1 STARTTLS\r\n"),
        (pop3(1, "Dovecot", start_tls=TLS), b"STLS\r\n"),
    ):
        facts = start_tls(service, command)
        assert facts is not None
        assert facts.certificate == TLS.certificate


def test_name_servers() -> None:
    tcp, udp = dns(53, "9.18.28")
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03"
    talk = Talk(tcp, udp)
    talk.open(1, 53, udp=True)
    talk.open(2, 53)
    (_, said) = talk.say(1, query)[1]
    assert isinstance(said, bytes)
    assert said[:12] == b"\x12\x34\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00"
    assert said.endswith(b"\x00\x08\x079.18.28")
    assert talk.say(2, len(query).to_bytes(2, "big") + query)[1:] == [("received", len(said).to_bytes(2, "big") + said)]
    assert talk.say(1, b"\xab\xcd\x10\x00" + bytes(8))[2] == ("received", b"\xab\xcd\x90\x04" + bytes(8))
    assert talk.say(1, b"short") == talk.heard(1)
    assert len(talk.heard(1)) == 3
