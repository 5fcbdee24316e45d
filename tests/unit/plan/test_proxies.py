"""URLs of proxies, and what cannot go through one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.plan import Proxy
from leadline.plan.options import Options, PingRequest
from leadline.plan.proxies import check_proxies, proxy_notices, read_proxies, without_password


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://relay.example:3128", Proxy("http", "relay.example", 3128)),
        ("HTTP://relay/", Proxy("http", "relay", 8080)),
        ("http://user:p%40ss%2C@relay:80", Proxy("http", "relay", 80, "user", "p@ss,")),
        ("http://user:a:b@c@relay:80", Proxy("http", "relay", 80, "user", "a:b@c")),
        ("socks4://10.0.0.1", Proxy("socks4", "10.0.0.1", 1080)),
        ("socks4://me@10.0.0.1:9", Proxy("socks4", "10.0.0.1", 9, "me")),
        ("socks4a://10.0.0.1:9050", Proxy("socks4", "10.0.0.1", 9050)),
        ("socks5://[2001:db8::1]", Proxy("socks5", "2001:db8::1", 1080)),
        ("socks5h://[::1]:9050", Proxy("socks5", "::1", 9050)),
        ("socks5://me:@relay:1", Proxy("socks5", "relay", 1, "me", "")),
        ("socks5://m%C3%A9:x@relay:1", Proxy("socks5", "relay", 1, "m\u00e9", "x")),
    ],
)
def test_understood(text: str, proxy: Proxy) -> None:
    mistakes: list[str] = []
    assert read_proxies([text], mistakes) == (proxy,)
    assert mistakes == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no proxy"),
        ("relay:80", "is no proxy"),
        ("https://relay:80", "is no proxy"),
        ("http://", "has no host"),
        ("http://:80", "has no host"),
        ("http://re lay", "neither a name"),
        ("http://relay/path", "neither a name"),
        ("http://2001:db8::1", "port"),
        ("http://[relay]:80", "neither a name"),
        ("http://[::1:80", "neither a name"),
        ("http://[::1]80", "needs a port"),
        ("http://relay:0", "needs a port"),
        ("http://relay:", "needs a port"),
        ("http://relay:99999", "needs a port"),
        ("http://relay:\u0661", "needs a port"),
        ("http://" + "a" * 254, "neither a name"),
        ("http://@relay:80", "empty user name"),
        ("http://a%3Ab:c@relay:80", "colon in the user name"),
        ("socks4://me:secret@relay:80", "SOCKS4 does not know"),
        ("socks5://me%00:x@relay:1", "cannot be sent"),
        ("socks5://me:x%ff@relay:1", "cannot be sent"),
        (f"socks5://me:{'x' * 256}@relay:1", "cannot be sent"),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    mistakes: list[str] = []
    assert read_proxies([text], mistakes) == ()
    assert len(mistakes) == 1
    assert words in mistakes[0]
    assert "secret" not in mistakes[0]


@given(st.text(alphabet="htps4:/@[]%.a0-,\x00\u0661", max_size=24).map(lambda rest: "socks5://" + rest))
def test_any_text_is_a_proxy_or_a_mistake(text: str) -> None:
    mistakes: list[str] = []
    assert len(read_proxies([text], mistakes)) + len(mistakes) == 1


def test_chains() -> None:
    mistakes: list[str] = []
    assert [proxy.port for proxy in read_proxies(["http://a:1", "socks4://b:2"], mistakes)] == [1, 2]
    read_proxies(["http://a:1"] * 17, mistakes)
    assert mistakes == ["--proxies takes a chain of at most 16, not 17."]


ONE = ("http://a:1",)


def test_what_cannot_go_through() -> None:
    assert list(check_proxies(Options(techniques=("syn",), ping_scan=True))) == []
    assert list(check_proxies(Options(proxies=ONE, techniques=("connect",), list_scan=True))) == []
    for sends_none in (Options(proxies=ONE, skip_discovery=True), Options(proxies=ONE, list_scan=True)):
        assert list(check_proxies(replace(sends_none, pings=(PingRequest("tcp-syn"),)))) == []
    for options, word in (
        (Options(proxies=ONE, techniques=("syn",)), "-sS"),
        (Options(proxies=ONE, techniques=("xmas",)), "-sX"),
        (Options(proxies=ONE, scan_flags="FIN"), "--scanflags"),
        (Options(proxies=ONE, ping_scan=True), "-sn"),
        (Options(proxies=ONE, pings=(PingRequest("tcp-syn"),)), "-P probes"),
    ):
        (mistake,) = check_proxies(options)
        assert word in mistake


def test_what_is_otherwise_than_without() -> None:
    assert proxy_notices(Options()) == []
    assert ["-Pn" in text or "-n" in text for text in proxy_notices(Options(proxies=ONE))] == [True, True]
    assert proxy_notices(Options(proxies=ONE, skip_discovery=True, reverse="never")) == []
    assert len(proxy_notices(Options(proxies=ONE, list_scan=True))) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a:1", "http://a:1"),
        ("http://a:80,socks4://me@b:1", "http://a:80,socks4://me@b:1"),
        ("--proxies=http://u:p@a:1,socks5://v:q@w@b:2", "--proxies=http://u:...@a:1,socks5://v:...@b:2"),
        ("socks5://u:/@b", "socks5://u:...@b"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown
