"""Ready-made simulated services: how SSH, web, mail and name servers really answer, and the simplest shapes.

Each function gives one frozen ``SimService``; its details may be changed with ``dataclasses.replace``. Hostile ones are
in ``hostile``.
"""

from __future__ import annotations

from hashlib import sha256

from leadline.model.service import Certificate
from leadline.sim.speech import Echoing, Reply, SimTls, Tagged, Then
from leadline.sim.world import SimService

UDP = 17
# The rest of a request after its method, and what begins like none.
_REQUEST_END = rb"[ /][^\n]* HTTP/1\.[01]\r?\n(?:[^\n]+\n)*?\r?\n"
_NO_REQUEST = rb"(?!(?:\r?\n)*[A-Z]+ [^\n]* HTTP/1\.[01]\r?\n)\s*\S[^\n]*\n"
_DATE = b"Mon, 01 Jun 2026 09:00:00 GMT"
# 2026-01-01 and 2036-01-01.
_NOT_BEFORE, _NOT_AFTER = 1_767_225_600.0, 2_082_758_400.0


def certificate(*names: str, issuer: str = "") -> Certificate:
    """What a certificate for these names says of itself; without an issuer it signed itself."""
    subject = f"CN={names[0]}"
    return Certificate(
        subject=subject,
        issuer=issuer or subject,
        names=names,
        not_before=_NOT_BEFORE,
        not_after=_NOT_AFTER,
        self_signed=not issuer,
        sha256=sha256(repr((names, issuer)).encode()).hexdigest(),
    )


def silent(port: int) -> SimService:
    """Accepts connections, never says anything, closes after ten minutes."""
    return SimService(port, idle=600.0)


def wrapped(port: int) -> SimService:
    """Accepts and closes at once, as a TCP wrapper does for strangers."""
    return SimService(port, name="tcpwrapped", after_banner=Then.CLOSE)


def greeting(port: int, banner: bytes, name: str = "", complaint: bytes = b"") -> SimService:
    """Says who it is, and the same complaint to every line."""
    default = Reply(rb".*\n", complaint, pattern=True) if complaint else None
    return SimService(port, name=name, banner=banner, default=default)


def ssh(port: int, software: str, protocol: str = "2.0") -> SimService:
    """An SSH server (RFC 4253 section 4.2) as OpenSSH answers: what is no identification is refused in words."""
    return SimService(
        port,
        name="ssh",
        banner=f"SSH-{protocol}-{software}\r\n".encode(),
        default=Reply(rb"(?!SSH-).*\n", b"Invalid SSH identification string.\r\n", Then.CLOSE, pattern=True),
        idle=120.0,
    )


def http_response(status: str, headers: tuple[str, ...] = (), body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 response after which the connection is closed. ``headers``: in order, as ``Name: value``.

    A header ``Server`` comes first if there is one, then the date, as most servers send them.
    """
    first = [line for line in headers if line.startswith("Server: ")]
    rest = [line for line in headers if line not in first]
    if body and not any(line.lower().startswith("content-type:") for line in rest):
        rest.append("Content-Type: text/html")
    lines = [f"HTTP/1.1 {status}", *first, f"Date: {_DATE.decode()}", *rest]
    lines += [f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def page(title: str, text: str = "") -> bytes:
    """A small HTML page."""
    head = f"<html>\r\n<head><title>{title}</title></head>\r\n"
    return f"{head}<body><h1>{text or title}</h1></body>\r\n</html>\r\n".encode()


def http(
    port: int,
    server: str = "",
    *,
    status: str = "200 OK",
    headers: tuple[str, ...] = (),
    title: str = "Welcome",
    body: bytes | None = None,
    tls: SimTls | None = None,
) -> SimService:
    """A web server. ``server``: its header of that name (empty: none).

    ``status``, ``headers``, ``body`` (else a page with ``title``): what GET of any path gives; OPTIONS is not allowed,
    what is no HTTP/1 request is a bad one. Empty lines before a request are passed over (RFC 9112 section 2.2).
    """
    named = (f"Server: {server}",) if server else ()
    content = page(title) if body is None else body
    found = http_response(status, named + headers, content)
    head = found[: len(found) - len(content)]
    refused = http_response("405 Not Allowed", named, page("405 Not Allowed"))
    bad = http_response("400 Bad Request", named, page("400 Bad Request"))
    return SimService(
        port,
        name="https" if tls else "http",
        answers=(
            Reply(rb"(?:\r?\n)*GET" + _REQUEST_END, found, Then.CLOSE, pattern=True),
            Reply(rb"(?:\r?\n)*HEAD" + _REQUEST_END, head, Then.CLOSE, pattern=True),
            Reply(rb"(?:\r?\n)*[A-Z]+" + _REQUEST_END, refused, Then.CLOSE, pattern=True),
            Reply(_NO_REQUEST, bad, Then.CLOSE, pattern=True),
        ),
        idle=60.0,
        tls=tls,
    )


def https(
    port: int,
    server: str,
    shown: Certificate,
    *,
    version: str = "TLSv1.3",
    headers: tuple[str, ...] = (),
    title: str = "Welcome",
) -> SimService:
    """A web server over TLS, which answers plain HTTP in words, as nginx and Apache do."""
    words = page("400 The plain HTTP request was sent to HTTPS port", "400 Bad Request")
    plain = http_response("400 Bad Request", (f"Server: {server}",) if server else (), words)
    cipher = "TLS_AES_256_GCM_SHA384" if version == "TLSv1.3" else "ECDHE-RSA-AES256-GCM-SHA384"
    return http(port, server, headers=headers, title=title, tls=SimTls(shown, version, cipher, plain=plain))


def go_http(port: int, status: str, headers: tuple[str, ...] = (), body: bytes = b"") -> SimService:
    """A web server made with Go's net/http: no name, headers in order of their names, then date and length."""
    lines = [f"HTTP/1.0 {status}", *headers, f"Date: {_DATE.decode()}", f"Content-Length: {len(body)}"]
    found = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    plain = b"Content-Type: text/plain; charset=utf-8"
    bad = b"HTTP/1.1 400 Bad Request\r\n" + plain + b"\r\nConnection: close\r\n\r\n400 Bad Request"
    return SimService(
        port,
        name="http",
        answers=(
            Reply(rb"(?:\r?\n)*[A-Z]+" + _REQUEST_END, found, Then.CLOSE, pattern=True),
            Reply(_NO_REQUEST, bad, Then.CLOSE, pattern=True),
        ),
        idle=60.0,
    )


def smtp(port: int, host: str, software: str, start_tls: SimTls | None = None, tls: SimTls | None = None) -> SimService:
    """A mail server that answers as Postfix does (RFC 5321; STARTTLS: RFC 3207)."""
    offers = ["PIPELINING", "SIZE 10240000", "VRFY", "ETRN", *(["STARTTLS"] if start_tls else [])]
    lines = [host, *offers, "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8"]
    ehlo = "".join(f"250-{line}\r\n" for line in lines) + "250 CHUNKING\r\n"
    answers = [
        Reply(rb"(?i)EHLO .*\n", ehlo.encode(), pattern=True),
        Reply(rb"(?i)HELO .*\n", f"250 {host}\r\n".encode(), pattern=True),
        Reply(rb"(?i)QUIT\r?\n", b"221 2.0.0 Bye\r\n", Then.CLOSE, pattern=True),
        Reply(
            rb"(?:GET|POST|CONNECT) ",
            b"221 2.7.0 Error: I can break rules, too. Goodbye.\r\n",
            Then.CLOSE,
            pattern=True,
        ),
        Reply(b"\r\n\r\n", b"500 5.5.2 Error: bad syntax\r\n" * 2),
        Reply(b"\r\n", b"500 5.5.2 Error: bad syntax\r\n"),
    ]
    if start_tls is not None:
        answers.insert(0, Reply(rb"(?i)STARTTLS\r?\n", b"220 2.0.0 Ready to start TLS\r\n", Then.TLS, pattern=True))
    return SimService(
        port,
        name="smtps" if tls else "smtp",
        banner=f"220 {host} ESMTP {software}\r\n".encode(),
        answers=tuple(answers),
        default=Reply(rb".*\n", b"502 5.5.2 Error: command not recognized\r\n", pattern=True),
        idle=300.0,
        farewell=f"421 4.4.2 {host} Error: timeout exceeded\r\n".encode(),
        tls=tls,
        start_tls=start_tls,
    )


def imap(port: int, software: str, start_tls: SimTls | None = None, tls: SimTls | None = None) -> SimService:
    """A mail store that answers as Dovecot does (RFC 9051)."""
    offer = "AUTH=PLAIN" if start_tls is None else "STARTTLS LOGINDISABLED"
    offers = f"IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ {offer}"
    answers: list[Reply] = [
        Tagged(b"CAPABILITY", b"OK Pre-login capabilities listed.\r\n"),
        Tagged(b"LOGOUT", b"OK Logout completed.\r\n", Then.CLOSE),
    ]
    if start_tls is not None:
        answers.insert(0, Tagged(b"STARTTLS", b"OK Begin TLS negotiation now.\r\n", Then.TLS))
    complaint = b"BAD Error in IMAP command received by server.\r\n"
    return SimService(
        port,
        name="imaps" if tls else "imap",
        banner=f"* OK [CAPABILITY {offers}] {software} ready.\r\n".encode(),
        answers=(*answers, Reply(rb"\r?\n", b"* " + complaint, pattern=True), Tagged(b"", complaint)),
        default=Reply(rb".*\n", b"* " + complaint, pattern=True),
        idle=180.0,
        farewell=b"* BYE Disconnected for inactivity.\r\n",
        tls=tls,
        start_tls=start_tls,
    )


def pop3(port: int, software: str, start_tls: SimTls | None = None, tls: SimTls | None = None) -> SimService:
    """A mail box that answers as Dovecot does (RFC 1939; STLS: RFC 2595)."""
    offers = [b"CAPA", b"TOP", b"UIDL", b"RESP-CODES", b"PIPELINING", b"AUTH-RESP-CODE", b"USER", b"SASL PLAIN"]
    answers = [Reply(rb"(?i)QUIT\r?\n", b"+OK Logging out\r\n", Then.CLOSE, pattern=True)]
    if start_tls is not None:
        offers[-2:] = [b"STLS", b"SASL"]
        answers.append(Reply(rb"(?i)STLS\r?\n", b"+OK Begin TLS negotiation now.\r\n", Then.TLS, pattern=True))
    capabilities = b"+OK\r\n" + b"".join(line + b"\r\n" for line in offers) + b".\r\n"
    answers.append(Reply(rb"(?i)CAPA\r?\n", capabilities, pattern=True))
    return SimService(
        port,
        name="pop3s" if tls else "pop3",
        banner=f"+OK {software} ready.\r\n".encode(),
        answers=tuple(answers),
        default=Reply(rb".*\n", b"-ERR Unknown command.\r\n", pattern=True),
        idle=180.0,
        farewell=b"-ERR Disconnected for inactivity.\r\n",
        tls=tls,
        start_tls=start_tls,
    )


def dns(port: int, version: str) -> tuple[SimService, SimService]:
    """A name server on TCP and UDP that tells its version (RFC 4892); what it does not know it does not implement."""
    question = b"\x07version\x04bind\x00\x00\x10\x00\x03"
    record = b"\xc0\x0c\x00\x10\x00\x03\x00\x00\x00\x00" + (len(version) + 1).to_bytes(2, "big")
    record += bytes((len(version),)) + version.encode()
    told = b"\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00" + question + record
    refused = b"\x90\x04" + bytes(8)
    asked = rb"..[\x00\x01]\x00\x00\x01.{6}\x07version\x04bind\x00\x00\x10\x00\x03"
    udp = (Echoing(asked, told, pattern=True), Echoing(rb".{12}", refused, pattern=True))
    tcp = tuple(
        Echoing(to, (len(say) + 2).to_bytes(2, "big") + say, pattern=True, copied=(2, 4), place=2)
        for to, say in ((rb".." + asked, told), (rb".{14}", refused))
    )
    return SimService(port, name="domain", answers=tcp, idle=30.0), SimService(port, UDP, "domain", answers=udp)
