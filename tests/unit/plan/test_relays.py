from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import PrivilegeError, UsageError
from leadline.model.plan import Technique, Zombie
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.plan.relays import read_zombie


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
    ],
)
def test_contradictions(options: dict[str, object], words: str) -> None:
    assert any(words in message for message in mistakes(**options)), mistakes(**options)
