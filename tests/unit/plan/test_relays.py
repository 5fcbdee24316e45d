from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import PrivilegeError, UsageError
from leadline.model.plan import FtpRelay, Technique, Zombie
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.plan.relays import read_relay, read_zombie, without_login


@pytest.mark.parametrize(
    ("text", "zombie"),
    [
        ("10.0.0.9", Zombie("10.0.0.9", 80)),
        ("10.0.0.9:113", Zombie("10.0.0.9", 113)),
        ("printer.example.org:9100", Zombie("printer.example.org", 9100)),
        ("fd00::9", Zombie("fd00::9", 80)),
        ("[fd00::9]", Zombie("fd00::9", 80)),
        ("[fd00::9]:113", Zombie("fd00::9", 113)),
    ],
)
def test_a_zombie(text: str, zombie: Zombie) -> None:
    assert read_zombie(text) == zombie


@pytest.mark.parametrize(
    "text", ["", ":80", "a:", "a:0", "a:65536", "a:x", "[fd00::9", "[10.0.0.9]:80", "[fd00::9]80", "[fd00::9]:", "a b",
             "-x", "fd00::zz", "fe80::1%eth0", "a:1:2"],
)  # fmt: skip
def test_no_zombie(text: str) -> None:
    with pytest.raises(UsageError):
        read_zombie(text)


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 0 < read_zombie(text).port < 65_536


def mistakes(**more: object) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        build_plan(Options(targets=("10.0.0.5",), **more), True)  # type: ignore[arg-type]
    return caught.value.messages


def test_the_zombie_chooses_the_technique() -> None:
    plan = build_plan(Options(targets=("10.0.0.5",), zombie="10.0.0.9:81", skip_discovery=True), True)
    assert plan.ports.techniques == (Technique.IDLE,)
    assert plan.ports.zombie == Zombie("10.0.0.9", 81)
    assert plan.notices == ()


def test_discovery_shows_who_scans() -> None:
    (notice,) = build_plan(Options(targets=("10.0.0.5",), zombie="10.0.0.9"), True).notices
    assert "-Pn" in notice


def test_version_detection_shows_who_scans() -> None:
    plan = build_plan(Options(targets=("10.0.0.5",), zombie="10.0.0.9", skip_discovery=True, versions=True), True)
    assert any("from our own address" in notice for notice in plan.notices)


def test_rights() -> None:
    with pytest.raises(PrivilegeError, match="-sI needs the right"):
        build_plan(Options(targets=("10.0.0.5",), zombie="10.0.0.9"), False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"zombie": "x:y"}, "-sI needs a port"),
        ({"zombie": "a", "techniques": ("syn",)}, "-sS or -sI, not both"),
        ({"zombie": "a", "proxies": ("socks5://10.0.0.1:1080",)}, "no proxy carries"),
        ({"zombie": "a", "scan_flags": "SYN"}, "--scanflags cannot be used with -sI"),
        ({"zombie": "a", "decoys": ("10.0.0.7",)}, "-D hides who sends"),
        ({"zombie": "a", "list_scan": True}, "-sL scans no ports"),
        ({"techniques": ("idle",)}, "needs the zombie of -sI"),
        ({"techniques": ("bounce",)}, "needs the FTP server of -b"),
        ({"relay": "a:b:c"}, "-b needs an FTP server"),
        ({"relay": "@a"}, "-b needs a user name"),
        ({"relay": "a", "family": 6}, "-b knows IPv4 only"),
        ({"relay": "a", "techniques": ("connect",)}, "-sT or -b, not both"),
        ({"relay": "a", "zombie": "b"}, "-sI or -b, not both"),
        ({"relay": "a", "decoys": ("10.0.0.7",)}, "-D hides who sends"),
        ({"relay": "a", "scan_flags": "SYN"}, "-b sends none"),
    ],
)
def test_contradictions(options: dict[str, object], words: str) -> None:
    assert any(words in message for message in mistakes(**options)), mistakes(**options)


@pytest.mark.parametrize(
    ("text", "relay"),
    [
        ("ftp.example.org", FtpRelay("ftp.example.org")),
        ("10.0.0.9:2121", FtpRelay("10.0.0.9", 2121)),
        ("me@10.0.0.9", FtpRelay("10.0.0.9", 21, "me")),
        ("me:a@b:c@10.0.0.9:2121", FtpRelay("10.0.0.9", 2121, "me", "a@b:c")),
        ("me:@[fd00::9]:2121", FtpRelay("fd00::9", 2121, "me", "")),
    ],
)
def test_a_relay(text: str, relay: FtpRelay) -> None:
    assert read_relay(text) == relay


@given(st.text(max_size=30))
def test_any_relay_is_judged(text: str) -> None:
    with contextlib.suppress(UsageError):
        relay = read_relay(text)
        assert "\r" not in relay.user + relay.password
        assert "\n" not in relay.user + relay.password


def test_the_relay_chooses_the_technique_and_needs_no_rights() -> None:
    words = ("leadline", "-b", "me:pw@10.0.0.9", "10.0.0.5")
    options = Options(targets=("10.0.0.5",), relay="me:pw@10.0.0.9", skip_discovery=True, arguments=words)
    plan = build_plan(options, False)
    assert plan.ports.techniques == (Technique.BOUNCE,)
    assert plan.ports.relay == FtpRelay("10.0.0.9", 21, "me", "pw")
    assert plan.arguments == ("leadline", "-b", "me@10.0.0.9", "10.0.0.5")
    (notice,) = build_plan(Options(targets=("10.0.0.5",), relay="10.0.0.9"), True).notices
    assert "-Pn" in notice


def test_passwords_are_left_out() -> None:
    assert without_login("-bme:pw@h", "me:pw@h") == "-bme@h"
    assert without_login("me@h", "me@h") == "me@h"
    assert without_login("x", None) == "x"
