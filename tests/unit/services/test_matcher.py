from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_grammar import parse
from leadline.data.service_rules import ServiceProbe, ServiceProbes
from leadline.errors import DataError
from leadline.model.port import Protocol
from leadline.services import matcher as matcher_module
from leadline.services.index import Index, build_index
from leadline.services.matcher import MOST_EXHAUSTED, MOST_MATCHED, Matcher, make_matcher

RULES = rb"""
Probe TCP NULL q||
match ssh m|^SSH-([\d.]+)-([^\r\n]*)| p/$2/ v/$1/ i/a/ h/b/ o/c/ d/d/ cpe:/a:x:y/
match null m|^all|

Probe TCP Get q|get|
fallback Other,Asked,Nothing
softmatch http m|^HTTP/1|
match http m|^HTTP/1.*nginx|s p/nginx/
match ssl/imap m|^imap|
match get m|^all|

Probe TCP Other q|other|
match other m|^other|
match other m|^all|

Probe UDP Asked q|asked|
match asked m|^asked|
match asked m|^all|

Probe UDP Nothing q|nothing|
fallback Asked
"""


@pytest.fixture
def matcher() -> Matcher:
    return Matcher(parse([("file", RULES)]))


def probe(matcher: Matcher, name: str) -> ServiceProbe:
    return next(probe for probe in matcher.probes.probes if probe.name == name)


def said(matcher: Matcher, name: str, text: bytes, *, soft: bool = True) -> tuple[str, str, bool] | None:
    match = matcher.match(probe(matcher, name), text, soft=soft)
    return match and (match.service, match.probe, match.soft)


def test_a_match_says_all_that_its_rule_says(matcher: Matcher) -> None:
    match = matcher.match(probe(matcher, "NULL"), b"SSH-2.0-x y \r\n")
    assert match is not None
    assert match.rule is matcher.probes.probes[0].rules[0]
    assert (match.service, match.product, match.version, match.extrainfo) == ("ssh", "x y", "2.0", "a")
    assert (match.hostname, match.ostype, match.devicetype, match.cpe) == ("b", "c", "d", ("cpe:/a:x:y",))
    assert (match.probe, match.tunnel, match.soft) == ("NULL", "", False)


def test_own_rules_come_first_then_those_of_fallbacks_then_those_of_the_null_probe(matcher: Matcher) -> None:
    assert said(matcher, "Get", b"all") == ("get", "Get", False)
    assert said(matcher, "Get", b"other") == ("other", "Other", False)
    assert said(matcher, "Get", b"SSH-1.0-a") == ("ssh", "NULL", False)
    assert said(matcher, "Other", b"all") == ("other", "Other", False)
    assert said(matcher, "NULL", b"all") == ("null", "NULL", False)
    assert said(matcher, "NULL", b"other") is None
    assert said(matcher, "Other", b"HTTP/1") is None


def test_a_fallback_of_the_other_protocol_is_found(matcher: Matcher) -> None:
    assert said(matcher, "Get", b"asked") == ("asked", "Asked", False)


def test_udp_has_no_null_probe(matcher: Matcher) -> None:
    assert said(matcher, "Nothing", b"all") == ("asked", "Asked", False)
    assert said(matcher, "Nothing", b"SSH-1.0-a") is None


def test_soft_rules_are_in_file_order_too(matcher: Matcher) -> None:
    text = b"HTTP/1.1\nserver: nginx"
    assert said(matcher, "Get", text) == ("http", "Get", True)
    assert said(matcher, "Get", text, soft=False) == ("http", "Get", False)
    assert said(matcher, "Get", b"HTTP/1.1", soft=False) is None


def test_a_rule_may_tell_its_tunnel(matcher: Matcher) -> None:
    match = matcher.match(probe(matcher, "Get"), b"imap")
    assert match is not None
    assert (match.service, match.tunnel) == ("imap", "ssl")


def test_a_probe_that_is_not_among_the_rules_is_matched_by_those_it_falls_back_to(matcher: Matcher) -> None:
    stranger = ServiceProbe(Protocol.TCP, "Stranger", b"x", fallback=("Other",))
    match = matcher.match(stranger, b"other")
    assert match is not None
    assert match.probe == "Other"


def test_only_the_beginning_of_an_answer_is_looked_at(matcher: Matcher) -> None:
    ahead = b"HTTP/1.1" + b" " * (MOST_MATCHED - 13)
    assert said(matcher, "Get", ahead + b"nginx", soft=False) == ("http", "Get", False)
    assert said(matcher, "Get", ahead + b" nginx", soft=False) is None


def hostile(rules: int) -> Matcher:
    lines = b"".join(b"match a m|^(a+)+%d|\n" % number for number in range(rules))
    return Matcher(parse([("file", b"Probe TCP A q|x|\n" + lines + b"match b m|^aaa|\n")]))


def test_after_many_rules_that_reach_their_limits_an_answer_is_given_up() -> None:
    text = b"a" * 100 + b" " + b" ".join(b"%d" % number for number in range(MOST_EXHAUSTED))
    few, many = hostile(MOST_EXHAUSTED - 1), hostile(MOST_EXHAUSTED)
    assert said(few, "A", text) == ("b", "A", False)
    assert said(many, "A", text) is None
    assert said(many, "A", b"aaa") == ("b", "A", False)


@given(st.binary(max_size=60))
def test_any_answer_is_matched_or_not(answer: bytes) -> None:
    matcher = Matcher(parse([("file", RULES)]))
    for one in matcher.probes.probes:
        match = matcher.match(one, answer)
        assert match is None or match.rule.pattern


def test_our_own_rules_are_the_default() -> None:
    assert any(probe.rules for probe in make_matcher().probes.probes)


def test_a_users_rules_are_checked_before_their_index_is_made(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_bytes(b"Probe TCP A q|x|\nmatch a m|(|\n")
    with pytest.raises(DataError, match=r"rules:2: the pattern does not compile"):
        make_matcher(str(path))
    with pytest.raises(DataError, match=r"cannot be read"):
        make_matcher(str(tmp_path / "none"))


def test_a_kept_index_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = tmp_path / "rules", tmp_path / "cache"
    path.write_bytes(RULES)
    made: list[str] = []

    def build(probes: ServiceProbes) -> Index:
        made.append(probes.digest)
        return build_index(probes)

    monkeypatch.setattr(matcher_module, "build_index", build)
    first, second = make_matcher(str(path), folder), make_matcher(str(path), folder)
    assert len(made) == 1
    assert said(first, "Get", b"imap") == said(second, "Get", b"imap") == ("imap", "Get", False)
    path.write_bytes(RULES + b"match more m|^more|\n")
    assert said(make_matcher(str(path), folder), "Nothing", b"more") == ("more", "Nothing", False)
    assert len(made) == 2
    make_matcher(str(path))
    assert len(made) == 3
