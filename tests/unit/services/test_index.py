from __future__ import annotations

from leadline.data.service_grammar import parse
from leadline.data.service_rules import ServiceProbes
from leadline.services.index import Index, build_index


def probes(*patterns: bytes) -> ServiceProbes:
    lines = b"".join(b"match a m~" + pattern + b"~\n" for pattern in patterns)
    return parse([("file", b"Probe TCP A q|x|\n" + lines)])


def test_candidates_have_the_rarest_clause_in_them() -> None:
    index = build_index(probes(b"^HTTP/1.*nginx", b"^HTTP/1.*Apache", b"^HTTP/1.*(?:lighttpd|Caddy)", b"^SSH-"))
    assert index.always == ()
    assert set(index.literals) == {b"nginx", b"apache", b"lighttpd", b"caddy", b"ssh-"}
    assert index.candidates(b"HTTP/1.1 200 OK\r\nServer: Apache\r\n") == [1]
    assert index.candidates(b"caddy and LIGHTTPD, ssh-") == [2, 3]
    assert index.candidates(b"HTTP/1.1 200 OK\r\n") == []
    assert index.candidates(b"") == []


def test_rules_without_clauses_are_always_candidates() -> None:
    index = build_index(probes(rb"^\d", b"abc", rb"ab(?R)?"))
    assert tuple(index.always) == (0, 2)
    assert index.candidates(b"") == [0, 2]
    assert index.candidates(b"xabcx") == [0, 1, 2]


def test_literals_may_overlap_and_contain_each_other() -> None:
    index = build_index(probes(b"abc", b"bcd", b"abcd", b"b.c", b"bc"))
    assert index.candidates(b"abcd") == [0, 1, 2, 3, 4]


def test_one_literal_may_belong_to_many_rules() -> None:
    index = build_index(probes(b"abc", b"ABC", b"abc$"))
    assert index.literals == (b"abc",)
    assert index.rules == ((0, 1, 2),)


def test_a_short_literal_is_taken_only_when_there_is_no_better() -> None:
    index = build_index(probes(b"ab.longer", b"xy"))
    assert set(index.literals) == {b"longer", b"xy"}


def test_no_rules() -> None:
    index = build_index(ServiceProbes(digest="ab"))
    assert index == Index((), (), (), "ab")
    assert index.candidates(b"abc") == []
