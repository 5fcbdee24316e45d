"""Rules of our own, read by Nmap and by us: both fill in the same templates alike, limits and all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from leadline.data.service_probes import load_service_probes
from leadline.services.matcher import Matcher
from tests.support.inside import inside
from tests.support.needs import require
from tests.support.netns import namespaces
from tests.support.scan import NMAP, scan
from tests.support.services import Seen, seen_of, services

FIRST_PORT = 3000
ANY = b"([^;]*);"

# The answer, the pattern for it, the templates. Not among them: what stops Nmap 7.93 (a capture in the middle that took
# no part in the match, an empty text to replace), and bytes that are no ASCII, which it makes dots of and we letters.
LENGTHS = [
    (b"a" * length + b";", b"(a+);", templates)
    for lengths, templates in (
        ((77, 78, 79, 80, 81), b"p/$1/"),
        ((77, 78, 79, 80, 81), b"p/x/ v/$1/"),
        ((77, 78, 79, 80, 81), b"p/x/ h/$1/"),
        ((65, 66, 67, 68, 69), b"p/b $1 0123456789/"),
        ((36, 37, 38, 39), b"p/$1 $1/"),
        ((253, 254, 255, 256), b"p/x/ i/$1/"),
        ((29, 30, 31, 32), b"p/x/ o/$1/"),
        ((29, 30, 31, 32), b"p/x/ d/$1/"),
        ((66, 67, 68, 69, 70), b"p/x/ cpe:/a:v:p:$1/"),
    )
    for length in lengths
] + [(b";", b";", b"p/" + b"a" * length + b"/") for length in (78, 79, 80)]
INSERTIONS = [
    (b"abc , ,;", ANY, b"p/$1/"),
    (b"abc\t,\r\n;", ANY, b"p/$1/ v/x, y , /"),
    (b"  abc;", ANY, b"p/$1/"),
    (b"a" * 70 + b" " * 11 + b";", ANY, b"p/$1/ v/y/"),
    (b"abc;", ANY, b"p/x $2/ v/$1/"),
    (b"abc;", b"(abc)(z)?;", b"p/x $1 $2/ v/$1/"),
    (b"a\x01b\xe9c\0d\x7fe~;", ANY, b"p/$P(1)/"),
    (b"\x01\x02;", ANY, b"p/$P(1)/ v/y/"),
    (b"a\0b;", ANY, b"p/$1/"),
    (b"a\nb\tc\x7f;", ANY, b"p/$1/"),
    (b"a_b_c;", ANY, b'p/$SUBST(1,"_",".")/ v/$SUBST(1, "_", "")/'),
    (b"aaa abab;", ANY, b'p/$SUBST(1,"aa","b")/ v/$SUBST(1,"ab","xyz")/'),
    (b'a"b)c;', ANY, b'p/$SUBST(1,"\\"","q")/ v/$SUBST(1,")",",")/'),
    (b"a\\b_c\nd;", ANY, rb'p/$SUBST(1,"\\","#")/ v/$SUBST(1,"\x5f","\n")/ i/$SUBST(1,"\n","_")/'),
    (b"\x01\x02", b"(..)", b'p/x $I(1,">") $I(1,"<")/'),
    (b"\xff" * 8, b"(.{8})", b'p/x $I(1,">")/'),
    (b"\x01" * 9, b"(.{9})", b'p/x $I(1,">")/ v/y/'),
    (b";", b"(q*);", b'p/x $I(1,">")/ v/y/'),
    (b";", b"(;)", b"p// v/y/"),
    (b";", b"(;)", b""),
] + [
    (b";", b"(;)", b"p/x " + wrong + b" y/ v/y/")
    for wrong in (
        b"$",
        b"$0", b"$x", b"$$1", b"$10", b"$P(2)", b"$P(12)", b"$P( 1 )", b"$P(1", b"$FOO(1)", b'$I(1,"=")', b"$I(1,>)"
    )
]  # fmt: skip
CPES = [
    (b'A b-c_d.e~f!g"h#i;', ANY, b"p/x/ cpe:/a:v:$1/"),
    (b"$%&'()*+,-./:<=>?;", ANY, b"p/x/ cpe:/a:v:$1/"),
    (b"@AZ[\\]^_`az{|}~;", ANY, b"p/x/ cpe:/a:v:$1/"),
    (b"a\tb\0c;", ANY, b"p/x/ cpe:/a:v:$1/"),
    (b"A_ b\x01;", ANY, b'p/x/ cpe:/a:v:$P(1)/ cpe:/o:v:$SUBST(1,"_","X Y")/'),
    (b";", b"(q*);", b"p/x/ cpe:/a:Ven dor:P!d/ cpe:/o:v:p:$1/"),
    (b";", b"(;)", b"p/x/ cpe:/o:e:f/ cpe:/h:g:h/ cpe:/a:a:b/ cpe:/o:i:j/ cpe:/a:c:d/"),
    (b";", b"(;)", b"p/x/ cpe:/a:a:$2/ cpe:/a:c:d/ cpe:/o:a:b/ cpe:/o:c:$2/"),
    (b"o;", ANY, b"p/x/ cpe:/$1:v:b/ cpe:|o:z:z|a"),
]
PATTERNS = [
    (b"A\0;", rb"A\x;", b"p/x/"),
    (b"A\x05;", rb"A\x5;", b"p/x/"),
    (b"A b;", rb"A\x{20}b;", b"p/x/"),
    (b"A\x05;", rb"A\005;", b"p/x/"),
    (b"A\x0b;", rb"A\v;", b"p/x/"),
    (b"A\n;", rb"A\v;", b"p/x/"),
    (b"A\r\n;", rb"A\R;", b"p/x/"),
    (b"A\xa0;", rb"A\h;", b"p/x/"),
    (b"A\n", rb"A$", b"p/x/"),
    (b"A\rB", rb"A.B", b"p/x/"),
]
CASES = [*LENGTHS, *INSERTIONS, *CPES, *PATTERNS]


def answer(number: int) -> bytes:
    return b"ID%03d:" % number + CASES[number][0]


def write_rules(path: Path) -> None:
    lines = [
        b"match ours%d m~^ID%03d:%s~s %s\n" % (number, number, pattern, templates)
        for number, (_, pattern, templates) in enumerate(CASES)
    ]
    path.write_bytes(b"Probe TCP NULL q||\ntotalwaitms 2000\n" + b"".join(lines))


def serve(listener: socket.socket, greeting: bytes) -> None:
    """Greets everyone and waits for them to go."""
    while True:
        try:
            stream, _ = listener.accept()
        except OSError:
            return
        with stream:
            stream.settimeout(10)
            try:
                stream.sendall(greeting)
                stream.recv(1)
            except OSError:
                continue


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Matcher, dict[int, Seen]]]:
    """Our reading of the rules, and what Nmap says of each port."""
    require("peers")
    rules = tmp_path_factory.mktemp("rules") / "rules"
    write_rules(rules)
    with ExitStack() as stack:
        (namespace,) = stack.enter_context(namespaces("rules"))
        with inside(namespace.name):
            listeners = [socket.create_server(("127.0.0.1", FIRST_PORT + number)) for number in range(len(CASES))]
        for number, listener in enumerate(listeners):
            stack.callback(listener.close)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            threading.Thread(target=serve, args=(listener, answer(number)), daemon=True).start()
        ports = f"{FIRST_PORT}-{FIRST_PORT + len(CASES) - 1}"
        run = scan(namespace, NMAP, *f"-n -Pn -sT -sV -T5 -p {ports} --versiondb {rules} 127.0.0.1".split())
        found = services(run.xml)
        yield (
            Matcher(load_service_probes(rules)),
            {number: found["127.0.0.1", "tcp", FIRST_PORT + number] for number in range(len(CASES))},
        )


@pytest.mark.parametrize("number", range(len(CASES)))
def test_templates_are_filled_in_as_by_nmap(number: int, seen: tuple[Matcher, dict[int, Seen]]) -> None:
    matcher, said = seen
    match = matcher.match(matcher.probes.probes[0], answer(number))
    assert match is not None
    assert seen_of(match) == said[number], CASES[number]
