from __future__ import annotations

import gc
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_grammar import parse
from leadline.data.service_rules import NULL, ServiceProbe, ServiceProbes, Template
from leadline.errors import DataError
from leadline.model.port import Protocol

WHOLE = rb"""# a comment

Exclude T:9100-9102,U:7
Probe TCP NULL q||
totalwaitms 6000
tcpwrappedms 3000
match ssh m|^SSH-([\d.]+)-(\w+)| p/$2/ v/1/ i/protocol $1/ h/a b/ o/Linux/ d/router/ cpe:/a:x:y:$1/ cpe:|o:z:z|a
softmatch ssl/http m%^HTTP/1%is

Probe UDP Ask q/\x00\0a\\\r\n\t\a\b\f\v\xfF|/ no-payload
ports 53,100-200, 7
sslports 853
rarity 3
fallback Other,Ask
match a/b m/^\xff/s
Probe UDP Other q||
"""


def read(*contents: bytes) -> ServiceProbes:
    return parse([(f"file{number}", content) for number, content in enumerate(contents)])


def only(content: bytes) -> ServiceProbe:
    return read(content).probes[0]


def error(*contents: bytes) -> str:
    with pytest.raises(DataError) as caught:
        read(*contents)
    assert str(caught.value).startswith(f"{caught.value.path}:{caught.value.line}: ")
    assert caught.value.path == f"file{len(contents) - 1}"
    return str(caught.value).partition(": ")[2] + f" [{caught.value.line}]"


def test_a_whole_file() -> None:
    found = read(WHOLE)
    assert found.excluded.of(Protocol.TCP) == (9100, 9101, 9102)
    assert found.excluded.of(Protocol.UDP) == (7,)
    null, ask, other = found.probes
    assert (null.name, null.payload, null.is_null) == (NULL, b"", True)
    assert (null.total_wait, null.wrapped_wait, null.rarity, null.payload_allowed) == (6.0, 3.0, 5, True)
    assert null.services == {"ssh", "http"}
    ssh, http = null.rules
    assert (ssh.order, ssh.service, ssh.soft, ssh.tunnel, ssh.caseless, ssh.dotall) == (
        0,
        "ssh",
        False,
        "",
        False,
        False,
    )
    assert ssh.pattern == rb"^SSH-([\d.]+)-(\w+)"
    assert ssh.place == "file0:7"
    assert ssh.template == Template(
        b"$2", b"1", b"protocol $1", b"a b", b"Linux", b"router", (b"cpe:/a:x:y:$1", b"cpe:/o:z:z")
    )
    assert (http.order, http.service, http.tunnel, http.soft, http.caseless, http.dotall) == (
        1, "http", "ssl", True, True, True,
    )  # fmt: skip
    assert http.template == Template()
    assert ask.payload == b"\0\0a\\\r\n\t\a\b\f\v\xff|"
    assert not ask.payload_allowed
    assert ask.ports == ((7, 7), (53, 53), (100, 200))
    assert ask.ssl_ports == ((853, 853),)
    assert (ask.rarity, ask.fallback) == (3, ("Other", "Ask"))
    assert (ask.total_wait, ask.wrapped_wait) == (5.0, 2.0)
    assert ask.rules[0].service == "a/b"
    assert (other.payload, other.rules) == (b"", ())
    assert not other.is_null


def test_the_digest_is_that_of_what_was_read() -> None:
    assert read(WHOLE).digest == hashlib.sha256(len(WHOLE).to_bytes(8, "big") + WHOLE).hexdigest()
    assert read(b"# a", b"# b").digest != read(b"# a# b").digest != read(b"# a# b", b"").digest


def test_a_repeated_probe_is_continued() -> None:
    first = b"Probe TCP A q|x|\nports 1-5,9\nmatch a m|a|\nProbe TCP B q|y|\nmatch b m|b|\n"
    second = b"Probe TCP A q|\\x78| no-payload\nports 6,20-30\nrarity 2\nmatch c m|c|\nfallback B\n"
    found = read(first, second)
    assert [probe.name for probe in found.probes] == ["A", "B"]
    a, b = found.probes
    assert [(rule.service, rule.order, rule.place) for rule in a.rules] == [("a", 0, "file0:3"), ("c", 2, "file1:4")]
    assert [rule.order for rule in b.rules] == [1]
    assert a.ports == ((1, 6), (9, 9), (20, 30))
    assert (a.rarity, a.fallback, a.payload_allowed, a.services) == (2, ("B",), False, {"a", "c"})


def test_names_are_those_of_one_protocol() -> None:
    found = read(b"Probe TCP A q|x|\nProbe UDP A q|y|\nfallback A\n")
    assert [probe.payload for probe in found.probes] == [b"x", b"y"]


def test_a_fallback_may_be_a_probe_of_the_other_protocol() -> None:
    assert only(b"Probe TCP A q|x|\nfallback B\nProbe UDP B q|y|\n").fallback == ("B",)


def test_lines_may_end_as_on_windows() -> None:
    probe = only(b"Probe TCP A q|x|\r\nports 1,2\r\nrarity 4\r\nmatch a m|b|i\r\nmatch a m|b|s p/q/\r\n\r\n# end\r\n")
    assert (probe.payload, probe.ports, probe.rarity) == (b"x", ((1, 2),), 4)
    assert [(rule.caseless, rule.dotall) for rule in probe.rules] == [(True, False), (False, True)]
    assert probe.rules[1].template.product == b"q"


def test_ranges_that_touch_are_one() -> None:
    assert only(b"Probe TCP A q|x|\nports 5,1-3,4,0,65535,2-3\n").ports == ((0, 5), (65535, 65535))


def test_patterns_are_bytes() -> None:
    assert only(b"Probe TCP A q|x|\nmatch a m=^\xff\xe9\\x00=\n").rules[0].pattern == b"^\xff\xe9\\x00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Bogus 1", 'there is no directive "Bogus" [1]'),
        (b"\n\nProbe", 'nothing follows "Probe" [3]'),
        (b"#\nmatch a m|b|", '"match" stands before any Probe [2]'),
        (b"softmatch a m|b|", '"softmatch" stands before any Probe [1]'),
        (b"ports 1", '"ports" stands before any Probe [1]'),
        (b"sslports 1", '"sslports" stands before any Probe [1]'),
        (b"rarity 1", '"rarity" stands before any Probe [1]'),
        (b"Probe TCP A", "a Probe needs TCP or UDP, a name and a payload [1]"),
        (b"Probe SCTP A q|x|", "a Probe needs TCP or UDP, a name and a payload [1]"),
        (b"Probe TCP A q|x", "the payload is not of the form q|...| [1]"),
        (b"Probe TCP A x|x|", "the payload is not of the form q|...| [1]"),
        (b"Probe TCP A q", "the payload is not of the form q|...| [1]"),
        (b"Probe TCP A q|x| nopayload", '"nopayload" stands behind the payload, where only no-payload can [1]'),
        (rb"Probe TCP A q|\q|", 'the payload has the unknown escape "\\\\q" [1]'),
        (rb"Probe TCP A q|\x4|", 'the payload has the unknown escape "\\\\x" [1]'),
        (b"Probe TCP A q|x\\|", 'the payload has the unknown escape "\\\\" [1]'),
        (b"Probe TCP A q||", 'the TCP probe that sends nothing, and no other, is called "NULL" [1]'),
        (b"Probe TCP NULL q|x|", 'the TCP probe that sends nothing, and no other, is called "NULL" [1]'),
        (b"Probe TCP A\xe9 q|x|", 'the probe "A\\\\xe9" is not printable ASCII [1]'),
        (b"Exclude T:1\nExclude T:2", "there is more than one Exclude [2]"),
        (b"Probe TCP A q|x|\nExclude T:2", "Exclude stands behind a Probe [2]"),
        (b"Exclude T:nothing-such", 'Port list "T:nothing-such" has "nothing-such", which matches no'),
    ],
)
def test_mistakes_outside_of_a_probe(content: bytes, message: str) -> None:
    assert error(content).startswith(message)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"ports 1,x", '"x" is no port and no range of ports'),
        (b"ports 1,,2", '"" is no port and no range of ports'),
        (b"ports 65536", '"65536" is no port and no range of ports'),
        (b"ports 9-5", '"9-5" is no port and no range of ports'),
        (b"sslports -5", '"-5" is no port and no range of ports'),
        (b"rarity 0", '"0" is no number from 1 to 9'),
        (b"rarity 10", '"10" is no number from 1 to 9'),
        (b"rarity x", '"x" is no number from 1 to 9'),
        (b"rarity 3\nrarity 3", 'the probe "A" has its "rarity" already in file0:2'),
        (b"totalwaitms 99", '"99" is no number from 100 to 300000'),
        (b"totalwaitms 300001", '"300001" is no number from 100 to 300000'),
        (b"tcpwrappedms 12345678901", '"12345678901" is no number from 100 to 300000'),
        (b"fallback A,,A", "a fallback has 1 to 18 names of probes"),
        (b"fallback " + b",".join([b"A"] * 19), "a fallback has 1 to 18 names of probes"),
        (b"fallback B", 'the fallback "B" is the name of no probe'),
        (b"match a", "the pattern does not begin with m"),
        (b"match a x|b|", "the pattern does not begin with m"),
        (b"match a m", "the pattern is not closed"),
        (b"match a m|b", "the pattern is not closed"),
        (b"match a m|b|x", 'the pattern has the unknown flag "x"'),
        (b"match a m|b|ip/x/", 'the pattern has the unknown flag "p/x/"'),
        (b"match a m|b| q/x/", "there is no template 'q'"),
        (b"match a m|b| p/x", 'the template "product" is not closed'),
        (b"match \xe9 m|b|", 'the service "\\\\xe9" is not printable ASCII'),
        (b"match ssl/ m|b|", 'the service name "" has not 1 to 32 characters'),
        (b"match " + b"a" * 33 + b" m|b|", f'the service name "{"a" * 33}" has not 1 to 32 characters'),
        (b"match a m|" + b"b" * 8191 + b"|", "the line is longer than 8191 bytes"),
        (b"Probe TCP A q|y|", 'there is a TCP probe "A" already, with another payload'),
    ],
)
def test_mistakes_in_a_probe(line: bytes, message: str) -> None:
    last = 2 + line.count(b"\n")
    assert error(b"Probe TCP A q|x|\n" + line) == f"{message} [{last}]"


def test_what_may_stand_once_may_stand_in_one_file_only() -> None:
    probe = b"Probe TCP A q|x|\ntotalwaitms 100\n"
    assert error(probe, probe) == 'the probe "A" has its "totalwaitms" already in file0:2 [2]'
    assert error(b"Exclude T:1\n", b"Exclude T:1\n") == "there is more than one Exclude [1]"


def test_a_file_does_not_continue_the_last_probe_of_another() -> None:
    assert error(b"Probe TCP A q|x|\n", b"match a m|b|\n") == '"match" stands before any Probe [1]'


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_is_left_as_it_was(collects: bool) -> None:
    try:
        if not collects:
            gc.disable()
        read(WHOLE)
        assert gc.isenabled() is collects
        error(b"Bogus 1")
        assert gc.isenabled() is collects
    finally:
        gc.enable()


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_any_bytes_are_rules_or_an_error_with_its_place(lines: list[bytes], words: bool) -> None:
    if words:
        lines = [b"Probe TCP A q|x|", *(b"match a m|" + line for line in lines), *(b"ports " + line for line in lines)]
    problem = None
    try:
        parse([("file", b"\n".join(lines))])
    except DataError as caught:
        problem = caught
    assert problem is None or (problem.path == "file" and problem.line >= 1)
