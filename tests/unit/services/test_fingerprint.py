import string

from hypothesis import given
from hypothesis import strategies as st

from leadline.services.fingerprint import MOST, FingerprintFacts, fingerprint
from leadline.services.run import Run
from tests.support.playbook import matcher

FACTS = FingerprintFacts("1.0", 7, 1_700_000_000.0, "x86_64")
PROBES = {probe.name: probe for probe in matcher().probes.probes}


def answered(name: str, data: bytes) -> Run:
    run = Run((0, 0), PROBES[name], 0, "", 0.0)
    run.received += data
    run.total = len(data)
    return run


def test_the_head_tells_port_version_intensity_and_date() -> None:
    text = fingerprint(7777, "tcp", "", [answered("NULL", b"hi")], FACTS)
    assert text == 'SF-Port7777-TCP:V=1.0%I=7%D=11/14%Time=6553F100%P=x86_64%r(NULL,2,"hi");'
    assert "%T=SSL%I=7" in fingerprint(443, "tcp", "ssl", [answered("NULL", b"hi")], FACTS)
    assert fingerprint(53, "udp", "", [answered("NULL", b"x")], FACTS).startswith("SF-Port53-UDP:")


def test_nothing_answered_nothing_told() -> None:
    assert fingerprint(1, "tcp", "", [answered("NULL", b"")], FACTS) == ""


def test_bytes_are_escaped() -> None:
    text = fingerprint(1, "tcp", "", [answered("NULL", b'\0\x001\r\n\t "()\\\xff?[].*+$^|')], FACTS)
    assert text.endswith(r'%r(NULL,15,"\0\x001\r\n\t\x20\"\(\)\\\xff\?\[\]\.\*\+\$\^\|");')


def test_every_answer_has_its_part() -> None:
    text = fingerprint(1, "tcp", "", [answered("NULL", b"a"), answered("Help", b"b" * 20)], FACTS)
    assert '%r(NULL,1,"a")%r(Help,14,"bbbbbbbbbbbbbbbbbbbb");' in text


@given(st.lists(st.binary(max_size=4000), max_size=4))
def test_it_is_bounded_printable_and_in_one_line(answers: list[bytes]) -> None:
    text = fingerprint(1, "tcp", "", [answered("NULL", data) for data in answers], FACTS)
    assert len(text) <= MOST + 40
    assert set(text) <= set(string.printable) - set("\r\n\t\x0b\x0c")


def test_debugging_tells_more() -> None:
    run = answered("NULL", b"x" * 9000)
    more = FingerprintFacts("1.0", 7, 0.0, "x", debugging=True)
    assert len(fingerprint(1, "tcp", "", [run], FACTS)) < 2300
    assert len(fingerprint(1, "tcp", "", [run], more)) > 9000
