"""Handshakes with proxies as dialogues of bytes: what is sent, what each answer means, and answers that are hostile."""

from __future__ import annotations

import base64
import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.plan import Proxy
from leadline.net.proxy import MOST_HEAD, Hop, Tunnel, proxy_problem, proxy_text

V4, V6, NAME = Hop("192.0.2.9", 80), Hop("2001:db8::9", 443), Hop("host.example", 22)
HTTP, SOCKS4, SOCKS5 = (Proxy(kind, "192.0.2.1", 1080) for kind in ("http", "socks4", "socks5"))
OK5 = b"\5\0\0\1\0\0\0\0\0\0"


def play(tunnel: Tunnel, *turns: bytes) -> Tunnel:
    """``turns``: what we send, what the proxy answers, and so on; the last may be its answer."""
    sent = tunnel.start()
    for index in range(0, len(turns), 2):
        assert sent == turns[index]
        if index + 1 < len(turns):
            sent = tunnel.receive(turns[index + 1])
    return tunnel


def refusal(tunnel: Tunnel, *turns: bytes) -> tuple[int, str, bool]:
    told = play(tunnel, *turns).refusal
    assert told is not None
    assert not tunnel.done
    return told.error, told.message.partition(": ")[2], told.of_target


def test_http() -> None:
    asked = b"CONNECT 192.0.2.9:80 HTTP/1.1\r\nHost: 192.0.2.9:80\r\n\r\n"
    tunnel = play(Tunnel((HTTP,), V4), asked, b"HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-")
    assert tunnel.done
    assert tunnel.rest == b"SSH-2.0-"


@pytest.mark.parametrize("head", [b"HTTP/1.0 200\r\n\r\n", b"HTTP/1.1 201 x\nA: b\n\n", b"HTTP/1.0 200 OK\r\n\n"])
def test_http_heads_of_sloppy_proxies(head: bytes) -> None:
    tunnel = Tunnel((HTTP,), V4)
    tunnel.start()
    tunnel.receive(head)
    assert tunnel.done


def test_http_authentication_addresses_and_names() -> None:
    user = Proxy("http", "proxy.example", 3128, "us€r", "pa:ss")
    pair = base64.b64encode("us€r:pa:ss".encode())
    asked = b"CONNECT [2001:db8::9]:443 HTTP/1.1\r\nHost: [2001:db8::9]:443\r\nProxy-Authorization: Basic %s\r\n\r\n"
    assert Tunnel((user,), V6).start() == asked % pair
    assert Tunnel((HTTP,), NAME).start().startswith(b"CONNECT host.example:22 HTTP/1.1\r\n")


def test_http_interim_answers_are_skipped_a_few_times() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    tunnel = Tunnel((HTTP,), V4)
    tunnel.start()
    tunnel.receive(interim * 3 + b"HTTP/1.1 200 OK\r\n\r\n")
    assert tunnel.done
    endless = Tunnel((HTTP,), V4)
    endless.start()
    endless.receive(interim * 50)
    assert endless.refusal is not None


@pytest.mark.parametrize(
    ("answer", "error", "words", "of_target"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", errno.EACCES, "403 Forbidden", True),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", errno.ETIMEDOUT, "504 Gateway Timeout", True),
        (b"HTTP/1.1 500 Unable to connect\r\n\r\n", errno.ENONET, "500 Unable to connect", True),
        (b"HTTP/1.1 503 x\r\nx-squid-error: ERR_CONNECT_FAIL 111\r\n\r\n", errno.ECONNREFUSED, "503 x", True),
        (b"HTTP/1.1 503 x\r\nX-Squid-Error: ERR_CONNECT_FAIL 1\r\n\r\n", errno.ENONET, "503 x", True),
        (b"HTTP/1.1 407 Who?\r\n\r\n", errno.EACCES, "wants a user (407 Who?)", False),
        (b"HTTP/1.1 502 \x1b[2J\xff\r\n\r\n", errno.ENONET, r"502 \1B[2Jÿ", True),
        (b"HTTP/2 200\r\n\r\n", errno.EPROTO, "no HTTP proxy: its answer is none of HTTP", False),
        (b"SSH-2.0-OpenSSH", errno.EPROTO, "no HTTP proxy: its answer is none of HTTP", False),
        (b"HTTP/1.1 " + b"2" * MOST_HEAD, errno.EPROTO, "no HTTP proxy: its answer is none of HTTP", False),
    ],
)
def test_http_refusals(answer: bytes, error: int, words: str, of_target: bool) -> None:
    assert refusal(Tunnel((HTTP,), V4), Tunnel((HTTP,), V4).start(), answer) == (error, words, of_target)


def test_a_wrong_password() -> None:
    chain = (Proxy("http", "192.0.2.1", 3128, "a", "b"),)
    told = refusal(Tunnel(chain, V4), Tunnel(chain, V4).start(), b"HTTP/1.1 407 No\r\n\r\n")
    assert told == (errno.EACCES, "authentication is refused (407 No)", False)


def test_socks4() -> None:
    tunnel = play(Tunnel((SOCKS4,), V4), b"\4\1\0\x50\xc0\0\2\x09\0", b"\0\x5a\0\0\0\0\0\0banner")
    assert tunnel.done
    assert tunnel.rest == b"banner"
    user = Proxy("socks4", "192.0.2.1", 1080, "me")
    assert Tunnel((user,), NAME).start() == b"\4\1\0\x16\0\0\0\1me\0host.example\0"
    assert Tunnel((user,), V6).start() == b"\4\1\1\xbb\0\0\0\1me\x002001:db8::9\0"


@pytest.mark.parametrize(
    ("answer", "error", "words", "of_target"),
    [
        (b"\0\x5b\0\0\0\0\0\0", errno.ENONET, "request rejected or failed", True),
        (b"\0\x5c\0\0\0\0\0\0", errno.EACCES, "the user is refused (identd)", False),
        (b"\0\x5d\0\0\0\0\0\0", errno.EACCES, "the user is refused (identd)", False),
        (b"\0\x01\0\0\0\0\0\0", errno.EPROTO, "no SOCKS4 proxy", False),
        (b"HTTP/1.1 400 Bad", errno.EPROTO, "no SOCKS4 proxy", False),
    ],
)
def test_socks4_refusals(answer: bytes, error: int, words: str, of_target: bool) -> None:
    assert refusal(Tunnel((SOCKS4,), V4), Tunnel((SOCKS4,), V4).start(), answer) == (error, words, of_target)


@pytest.mark.parametrize(
    ("hop", "asked"),
    [
        (V4, b"\5\1\0\1\xc0\0\2\x09\0\x50"),
        (V6, b"\5\1\0\4\x20\1\x0d\xb8" + bytes(11) + b"\x09\1\xbb"),
        (NAME, b"\5\1\0\3\x0chost.example\0\x16"),
    ],
)
@pytest.mark.parametrize("bound", [b"\1\1\2\3\4", b"\4" + bytes(16), b"\3\5proxy"])
def test_socks5(hop: Hop, asked: bytes, bound: bytes) -> None:
    tunnel = play(Tunnel((SOCKS5,), hop), b"\5\1\0", b"\5\0", asked, b"\5\0\0" + bound + b"\0\0" + b"220 hello")
    assert tunnel.done
    assert tunnel.rest == b"220 hello"


def test_socks5_authentication() -> None:
    user = Proxy("socks5", "192.0.2.1", 1080, "user", "secret")
    asked = Tunnel((SOCKS5,), V4)
    asked.start()
    request = asked.receive(b"\5\0")
    login = b"\1\4user\6secret"
    assert play(Tunnel((user,), V4), b"\5\2\0\2", b"\5\2", login, b"\1\0", request, OK5).done
    assert play(Tunnel((user,), V4), b"\5\2\0\2", b"\5\0", request, OK5).done
    told = refusal(Tunnel((user,), V4), b"\5\2\0\2", b"\5\2", login, b"\1\1")
    assert told == (errno.EACCES, "user and password are refused", False)
    told = refusal(Tunnel((user,), V4), b"\5\2\0\2", b"\5\xff")
    assert told == (errno.EACCES, "no way of authentication in common", False)
    assert refusal(Tunnel((SOCKS5,), V4), b"\5\1\0", b"\5\xff") == (errno.EACCES, "wants a user", False)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, errno.ENONET),
        (2, errno.EACCES),
        (3, errno.ENETUNREACH),
        (4, errno.EHOSTUNREACH),
        (5, errno.ECONNREFUSED),
        (6, errno.ETIMEDOUT),
        (8, errno.ENETUNREACH),
    ],
)
def test_socks5_replies_about_the_target(code: int, error: int) -> None:
    tunnel = Tunnel((SOCKS5,), V4)
    tunnel.start()
    tunnel.receive(b"\5\0")
    tunnel.receive(b"\5" + bytes([code]) + bytes(8))
    assert tunnel.refusal is not None
    assert (tunnel.refusal.error, tunnel.refusal.of_target) == (error, True)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"HTTP/1.1 400"], "no SOCKS5 proxy"),
        ([b"\5\0", b"\4\0\0\1"], "no SOCKS5 proxy"),
        ([b"\5\0", b"\5\7\0\1"], "connecting is not supported"),
        ([b"\5\0", b"\5\x63\0\1"], "reply 99 is unknown"),
        ([b"\5\0", b"\5\0\0\2"], "address type 2 is unknown"),
    ],
)
def test_what_is_no_socks5(answers: list[bytes], words: str) -> None:
    tunnel = Tunnel((SOCKS5,), V4)
    tunnel.start()
    for answer in answers:
        tunnel.receive(answer)
    assert tunnel.refusal is not None
    assert tunnel.refusal.error == errno.EPROTO
    assert tunnel.refusal.message == f"socks5://192.0.2.1:1080: {words}"
    assert tunnel.receive(b"more") == b""


def test_closing_without_an_answer() -> None:
    """Of a proxy that has shown to speak SOCKS5 it means that the target was not reached; else it may mean anything."""
    for turns, error, of_target in (
        ([], errno.ECONNRESET, False),
        ([b"\5\0"], errno.ENONET, True),
        ([b"\5\0", b"\5\0\0\1"], errno.ECONNRESET, False),
    ):
        tunnel = Tunnel((SOCKS5,), V4)
        tunnel.start()
        for turn in turns:
            tunnel.receive(turn)
        tunnel.close()
        assert tunnel.refusal is not None
        assert (tunnel.refusal.error, tunnel.refusal.of_target) == (error, of_target)
        assert tunnel.refusal.message == "socks5://192.0.2.1:1080: closed without an answer"
    middle = Tunnel((SOCKS5, HTTP), V4)
    middle.start()
    middle.receive(b"\5\0")
    middle.close()
    assert middle.refusal is not None
    assert not middle.refusal.of_target


def test_a_chain_of_all_kinds() -> None:
    chain = (SOCKS5, Proxy("http", "inner.example", 8080), Proxy("socks4", "2001:db8::5", 1081))
    tunnel = play(
        Tunnel(chain, V4),
        b"\5\1\0",
        b"\5\0",
        b"\5\1\0\3\x0dinner.example\x1f\x90",
        OK5,
        b"CONNECT [2001:db8::5]:1081 HTTP/1.1\r\nHost: [2001:db8::5]:1081\r\n\r\n",
        b"HTTP/1.0 200 Yes\r\n\r\n",
        b"\4\1\0\x50\xc0\0\2\x09\0",
        b"\0\x5a\0\0\0\0\0\0",
    )
    assert tunnel.done


def test_a_chain_that_breaks_in_the_middle_says_nothing_of_the_target() -> None:
    chain = (SOCKS5, Proxy("http", "inner.example", 8080))
    tunnel = Tunnel(chain, V4)
    tunnel.start()
    tunnel.receive(b"\5\0")
    tunnel.receive(b"\5\5\0\1")
    assert tunnel.refusal is not None
    assert not tunnel.refusal.of_target
    assert tunnel.refusal.message == "socks5://192.0.2.1:1080: connection refused"


@given(st.sampled_from([HTTP, SOCKS4, SOCKS5]), st.lists(st.binary(max_size=40), max_size=20))
def test_no_answer_makes_it_fail_or_grow(proxy: Proxy, answers: list[bytes]) -> None:
    tunnel = Tunnel((proxy, proxy), V4)
    sent = len(tunnel.start())
    for answer in answers:
        sent += len(tunnel.receive(answer))
    assert sent < 1000


@pytest.mark.parametrize("proxy", [HTTP, SOCKS4, SOCKS5])
def test_answers_may_come_byte_by_byte(proxy: Proxy) -> None:
    answer = {"http": b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "socks4": b"\0\x5a" + bytes(6), "socks5": b"\5\0" + OK5}
    tunnel = Tunnel((proxy,), V4)
    tunnel.start()
    for byte in answer[proxy.kind]:
        assert not tunnel.done
        tunnel.receive(bytes([byte]))
    assert tunnel.done


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        (Proxy("https", "a", 1), "https is no kind of proxy (there are: http, socks4, socks5)"),
        (Proxy("http", "", 1), "no host"),
        (Proxy("http", "a\r\nb", 1), "no host"),
        (Proxy("http", "a b", 1), "no host"),
        (Proxy("http", "a" * 256, 1), "no host"),
        (Proxy("http", "a", 0), "0 is no port"),
        (Proxy("http", "a", 65536), "65536 is no port"),
        (Proxy("http", "a", 1, "us:er"), "the user of an HTTP proxy has no colon"),
        (Proxy("socks4", "a", 1, "x" * 256), "a SOCKS4 proxy knows"),
        (Proxy("socks4", "a", 1, "x\0"), "a SOCKS4 proxy knows"),
        (Proxy("socks4", "a", 1, "x", "secret"), "a SOCKS4 proxy knows"),
        (Proxy("socks5", "a", 1, "x", "p" * 256), "user and password of a SOCKS5 proxy"),
        (Proxy("socks5", "a", 1, "x", "p"), ""),
        (Proxy("http", "2001:db8::1", 1, "x", "p:p"), ""),
        (Proxy("socks4", "a", 1, "x"), ""),
    ],
)
def test_proxies_that_cannot_be(proxy: Proxy, problem: str) -> None:
    told = proxy_problem(proxy)
    assert told.startswith(problem)
    assert bool(told) == bool(problem)


def test_messages_hold_no_password() -> None:
    assert proxy_text(Proxy("http", "2001:db8::1", 3128, "user", "secret")) == "http://[2001:db8::1]:3128"
