"""The TLS layer against servers in memory: old and new, refusing, garbled, endless."""

from __future__ import annotations

import errno
import ssl
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.net.tls import MOST_HANDSHAKE, TlsLayer, TlsStep, server_name, words
from tests.support.certificates import make_identity, server_context


class Server:
    """The other side, as ssl's own server object. ``heard``: plain bytes that arrived."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.shaken = False
        self.heard = b""

    def receive(self, data: bytes) -> bytes:
        self.incoming.write(data)
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while chunk := self.tls.read(65536):
                self.heard += chunk
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        except ssl.SSLError:
            self.shaken = False
        return self.outgoing.read()


def shake(layer: TlsLayer, server: Server) -> TlsStep:
    """The handshake, to its end; the client's last step."""
    step = layer.begin()
    for _ in range(10):
        answer = server.receive(layer.outgoing())
        if not answer:
            break
        step = layer.receive(answer)
        if step.opened or step.ended:
            layer.receive(server.receive(layer.outgoing()))  # session tickets
            break
    return step


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (ssl.TLSVersion.TLSv1, "TLSv1"),
        (ssl.TLSVersion.TLSv1_1, "TLSv1.1"),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
def test_every_version(version: ssl.TLSVersion, name: str) -> None:
    server, layer = Server(server_context(version=version)), TlsLayer("host.example")
    step = shake(layer, server)
    assert step.opened is not None
    assert step.opened.version == name
    assert step.opened.cipher
    assert step.opened.certificate is not None
    assert step.opened.certificate.names == ("host.example",)
    assert not layer.send(b"GET /\r\n").ended
    server.receive(layer.outgoing())
    assert server.heard == b"GET /\r\n"
    server.tls.write(b"welcome")
    assert layer.receive(server.outgoing.read()).data == b"welcome"


@pytest.mark.parametrize("ciphers", ["AES128-SHA:@SECLEVEL=0", "AES128-SHA256", "NULL-SHA:@SECLEVEL=0"])
def test_weak_suites(ciphers: str) -> None:
    context = server_context(make_identity(key_type="rsa"), ssl.TLSVersion.TLSv1_2, ciphers)
    step = shake(TlsLayer(), Server(context))
    assert step.opened is not None
    assert step.opened.cipher == ciphers.partition(":")[0]


def test_a_server_without_certificate() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    step = shake(TlsLayer(), Server(context))
    assert step.opened is not None
    assert step.opened.certificate is None


@pytest.mark.parametrize(("asked", "sent"), [("host.example", "host.example"), ("192.0.2.1", None), ("", None)])
def test_the_name_that_is_sent(asked: str, sent: str | None) -> None:
    names: list[str | None] = []
    context = server_context()
    context.sni_callback = lambda tls, name, _: names.append(name)
    assert shake(TlsLayer(asked), Server(context)).opened
    assert names == [sent]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("host.example.", "host.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
        ("localhost", "localhost"),
        ("127.1", ""),
        ("0x7f.1", ""),
        ("10.0.0.0x1", ""),
        ("2001:db8::1", ""),
        ("fe80::1%eth0", ""),
        ("a..example", ""),
        ("-a.example", ""),
        ("a" * 64 + ".example", ""),
        (".".join(["a" * 60] * 5), ""),
        ("name with blank", ""),
        ("\0", ""),
        (".", ""),
    ],
)
def test_what_counts_as_a_dns_name(name: str, sent: str) -> None:
    assert server_name(name) == sent
    TlsLayer(name)


def test_what_is_written_early_follows_the_handshake() -> None:
    server, layer = Server(server_context()), TlsLayer()
    layer.send(b"first ")
    assert shake(layer, server).opened
    layer.send(b"second")
    server.receive(layer.outgoing())
    assert server.heard == b"first second"


def test_much_in_both_directions() -> None:
    server, layer = Server(server_context()), TlsLayer()
    shake(layer, server)
    layer.send(b"x" * 300_000)
    server.receive(layer.outgoing())
    assert len(server.heard) == 300_000
    server.tls.write(b"y" * 300_000)
    assert layer.receive(server.outgoing.read()).data == b"y" * 300_000


def test_bytes_may_come_one_by_one() -> None:
    server, layer = Server(server_context()), TlsLayer()
    layer.begin()
    answer = server.receive(layer.outgoing())
    steps = [layer.receive(answer[at : at + 1]) for at in range(len(answer))]
    assert [step.opened is not None for step in steps].count(True) == 1


def test_an_orderly_end_keeps_what_came_before() -> None:
    server, layer = Server(server_context()), TlsLayer()
    shake(layer, server)
    server.tls.write(b"bye")
    with pytest.raises(ssl.SSLWantReadError):
        server.tls.unwrap()
    step = layer.receive(server.outgoing.read())
    assert (bytes(step.data), step.ended, step.error, step.message) == (b"bye", True, 0, "")


def test_garbage_is_told_in_openssls_words() -> None:
    layer = TlsLayer()
    layer.begin()
    step = layer.receive(b"SSH-2.0-OpenSSH_9.2\r\n")
    assert (step.ended, step.error, step.message) == (True, errno.EPROTO, "wrong version number")


def test_a_refusal_is_told_in_openssls_words() -> None:
    layer = TlsLayer()
    layer.begin()
    step = layer.receive(b"\x15\x03\x01\x00\x02\x02\x28")  # a fatal alert 40, RFC 5246 7.2
    assert (step.ended, step.error, step.message) == (True, errno.EPROTO, "sslv3 alert handshake failure")


def test_garbage_after_the_handshake() -> None:
    server, layer = Server(server_context()), TlsLayer()
    shake(layer, server)
    server.tls.write(b"good")
    step = layer.receive(server.outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32))
    assert bytes(step.data) == b"good"
    assert (step.ended, step.error) == (True, errno.EPROTO)
    assert step.message


def test_a_handshake_without_end_is_cut() -> None:
    """HelloRequests (RFC 5246 7.4.1.1) are skipped while a handshake is under way: for ever, if nobody counts."""
    layer = TlsLayer()
    layer.begin()
    flood = b"\x16\x03\x03" + struct.pack(">H", 16_000) + bytes(16_000)
    arrived = 0
    step = TlsStep()
    while not step.ended and arrived < 10 * MOST_HANDSHAKE:
        arrived += len(flood)
        step = layer.receive(flood)
    assert step.ended
    assert step.error in (errno.EMSGSIZE, errno.EPROTO)
    assert arrived <= MOST_HANDSHAKE + len(flood)


def test_a_certificate_that_is_much_too_large() -> None:
    context = server_context(make_identity("huge.example", (), padding=150_000), ssl.TLSVersion.TLSv1_2)
    step = shake(TlsLayer(), Server(context))
    assert step.ended
    assert step.error == errno.EPROTO
    assert step.message == "excessive message size"


def test_words_without_a_reason() -> None:
    assert words(ssl.SSLError("something (_ssl.c:1006)")) == "something"
    assert words(ValueError()) == ""


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    layer = TlsLayer()
    layer.begin()
    for piece in pieces:
        step = layer.receive(piece)
        assert step.opened is None
        if step.ended:
            break


@given(
    st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_a_damaged_handshake_fails_in_words(version: ssl.TLSVersion, damages: list[tuple[int, int]]) -> None:
    layer = TlsLayer("host.example")
    layer.begin()
    flight = bytearray(Server(server_context(version=version)).receive(layer.outgoing()))
    for at, change in damages:
        flight[at % len(flight)] ^= change
    step = layer.receive(bytes(flight))
    if step.ended:
        assert step.error == errno.EPROTO
        assert step.message
