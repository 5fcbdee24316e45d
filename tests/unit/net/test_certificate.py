"""Certificates as servers show them: good ones say everything, broken ones a problem, hostile ones no harm."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.service import Certificate
from leadline.net import certificate as module
from leadline.net.certificate import MOST_NAMES, clean, read_certificate
from tests.support.certificates import FIRST, LAST, make_identity


def test_everything_that_it_says() -> None:
    der = make_identity("host.example", ("host.example", "*.example", "192.0.2.1", "2001:db8::1"), issuer="Maker").der
    assert read_certificate(der) == Certificate(
        subject="CN=host.example",
        issuer="O=Maker",
        names=("host.example", "*.example", "192.0.2.1", "2001:db8::1"),
        not_before=FIRST.timestamp(),
        not_after=LAST.timestamp(),
        self_signed=False,
        sha256=hashlib.sha256(der).hexdigest(),
    )


def test_self_signed_expired_and_named_only_by_its_subject() -> None:
    identity = make_identity("old.example", (), last=datetime(2021, 1, 1, tzinfo=UTC))
    facts = read_certificate(identity.der)
    assert facts.self_signed
    assert facts.names == ("old.example",)
    assert facts.not_after == datetime(2021, 1, 1, tzinfo=UTC).timestamp()
    assert facts.problem == ""


def test_no_name_at_all() -> None:
    facts = read_certificate(make_identity("", ()).der)
    assert (facts.subject, facts.names, facts.problem) == ("", (), "")


def test_thousands_of_names_are_bounded() -> None:
    names = tuple(f"host{number}.example" for number in range(3000))
    assert read_certificate(make_identity("many.example", names).der).names == names[:MOST_NAMES]


def test_names_that_are_repeated_are_told_once() -> None:
    assert read_certificate(make_identity("twice.example", ("a.example", "b.example", "a.example")).der).names == (
        "a.example",
        "b.example",
    )


def test_control_characters_do_not_get_through() -> None:
    facts = read_certificate(make_identity("evil\x1b[31m\nname", ()).der)
    assert facts.subject.isprintable()
    assert facts.names == (r"evil\1B[31m\0Aname",)


def test_text_is_bounded_and_printable() -> None:
    assert clean("a" * 5000) == "a" * 1024
    assert clean("\0" * 5000, 30) == r"\00" * 10
    assert clean("é\u202e\ud800") == r"é\E2\80\AE\ED\A0\80"


@pytest.mark.parametrize("der", [b"", b"\0", b"0" * 50, b"\x30\x82\xff\xff", make_identity().der[:-20]])
def test_bytes_that_are_none(der: bytes) -> None:
    facts = read_certificate(der)
    assert facts.problem
    assert facts.problem.isprintable()
    assert facts == Certificate(sha256=hashlib.sha256(der).hexdigest(), problem=facts.problem)


@given(st.binary(max_size=300))
def test_any_bytes_give_some_answer(der: bytes) -> None:
    assert read_certificate(der).sha256 == hashlib.sha256(der).hexdigest()


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_certificate_gives_some_answer(damages: list[tuple[int, int]]) -> None:
    der = bytearray(make_identity("host.example", ("host.example", "192.0.2.1"), issuer="Maker").der)
    for at, value in damages:
        der[at % len(der)] = value
    facts = read_certificate(bytes(der))
    assert len(facts.sha256) == 64
    assert facts.subject.isprintable()


def test_a_date_that_cannot_be_leaves_the_rest() -> None:
    der = make_identity("dates.example", ()).der
    # UTCTime 200101000000Z: the month becomes 99.
    broken = der.replace(b"200101000000Z", b"209901000000Z")
    assert broken != der
    facts = read_certificate(broken)
    assert facts.problem or facts.not_before is None


def test_a_panic_of_the_parser_is_a_problem_and_an_interrupt_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    def raising(error: BaseException) -> None:
        def fail(*arguments: object) -> None:
            raise error

        monkeypatch.setattr(module, "_facts", fail)

    Panic.__module__ = "pyo3_runtime"
    raising(Panic("index out of bounds"))
    assert read_certificate(make_identity("panic.example").der).problem == "Panic: index out of bounds"
    raising(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        read_certificate(make_identity("interrupted.example").der)


def test_the_same_certificate_is_parsed_once() -> None:
    der = make_identity("again.example").der
    assert read_certificate(der) is read_certificate(bytes(bytearray(der)))
