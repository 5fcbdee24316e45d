"""What Nmap 7.93 was seen to say for the same templates (``tests/peers``) is expected here too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_rules import Template
from leadline.services.expansion import Fields, expand, problem_of


def product(template: bytes, *captures: bytes | None) -> str:
    return expand(Template(product=template), captures).product


def cpe(*templates: bytes, captures: tuple[bytes | None, ...] = ()) -> tuple[str, ...]:
    return expand(Template(cpes=tuple(b"cpe:/" + template for template in templates)), captures).cpe


def test_every_field() -> None:
    template = Template(b"p$1", b"v$2", b"i$1$2", b"h", b"o", b"d", (b"cpe:/a:$1",))
    assert expand(template, (b"A", b"B")) == Fields("pA", "vB", "iAB", "h", "o", "d", ("cpe:/a:a",))
    assert expand(Template(), (b"A",)) == Fields()


@pytest.mark.parametrize(
    ("template", "captures", "text"),
    [
        (b"a $2 b", (b"x", b"y"), "a y b"),
        (b"x $10 y", (b";",), "x ;0 y"),
        (b"$P(1)", (b"a\x01b\xe9c\0d\x7fe~",), "abcde~"),
        (b"$P( 1 )", (b"a\tb",), "ab"),
        (b'$SUBST(1,"_",".")', (b"a_b_c",), "a.b.c"),
        (b'$SUBST(1, "_", "")', (b"a_b_c",), "abc"),
        (b'$SUBST(1,"aa","b")', (b"aaa",), "ba"),
        (b'$SUBST(1,"\\"","q")', (b'a"b',), "aqb"),
        (b'$SUBST(1,")",",")', (b"a)b",), "a,b"),
        (b'$SUBST(1,"\\x5f","\\\\")', (b"a_b",), "a\\b"),
        (b'$SUBST(1,"\\n","\\q")', (b"a\nb",), "aqb"),
        (b'$I(1,">") $I(1,"<")', (b"\x01\x02",), "258 513"),
        (b'$I(1,">")', (b"\xff" * 8,), "18446744073709551615"),
        (b'$I(1,">")', (b"",), "0"),
        (b"$1", (b"abc , ,",), "abc"),
        (b"$1", (b"abc\t,\r\n",), "abc"),
        (b"  $1", (b" a",), "   a"),
        (b"$1", (b"a\0b",), "a"),
        (b"$1", (b"a\nb\tc\x7f",), "a.b.c."),
        (b"$1", ("aäß€b".encode(),), "aäß€b"),
        (b"$1", (b"a\xe9b",), "aéb"),
        (b"$1", (b"a\x85\x9bb\xad",), "a..b."),
        (b"$1", ("a\u202eb\u2028".encode(),), "a.b."),
    ],
)
def test_insertions(template: bytes, captures: tuple[bytes], text: str) -> None:
    assert product(template, *captures) == text


@pytest.mark.parametrize(
    "template",
    [
        b"x $2", b"x $P(2)", b'x $SUBST(2,"a","b")', b'x $I(2,">")', b"x $", b"x $0", b"x $x", b"x $$1", b"x $P(12)",
        b"x $P(1", b"x $FOO(1)", b'x $I(1,"=")', b"x $I(1,>)", b'x $SUBST(1,"a")', b'x $SUBST(1,"","b")', b"x $3",
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in_says_nothing(template: bytes) -> None:
    assert expand(Template(product=template, version=b"$1"), (b"c", None)) == Fields(version="c")
    assert problem_of(template, 1)


def test_a_number_has_at_most_eight_bytes() -> None:
    assert product(b'$I(1,">")', b"\x01" * 9) == ""
    assert problem_of(b'$I(1,">")', 1) == ""


@pytest.mark.parametrize(
    ("field", "room"), [("product", 80), ("version", 80), ("extrainfo", 256), ("hostname", 80), ("ostype", 32)]
)
def test_what_is_too_long_is_dropped(field: str, room: int) -> None:
    """A field and its end must fit; right behind an insertion one more byte must be free."""

    def said(template: bytes, *captures: bytes) -> int:
        written = {"extrainfo": "info"}.get(field, field)
        return len(getattr(expand(Template(**{written: template}), captures), field))

    assert said(b"a" * (room - 1)) == room - 1
    assert said(b"a" * room) == 0
    assert said(b"$1", b"a" * (room - 2)) == room - 2
    assert said(b"$1", b"a" * (room - 1)) == 0
    assert said(b"$1b", b"a" * (room - 2)) == room - 1
    assert said(b"$1bb", b"a" * (room - 2)) == 0
    assert said(b"$1", b"a" * (room - 10) + b" " * 10) == 0


def test_cpe_escapes() -> None:
    assert cpe(b"a:v:$1", captures=(b'A b-c_d.e~f!g"h#i',)) == ("cpe:/a:v:a_b-c_d.e~f%21g%22h%23i",)
    assert cpe(b"a:v:$1", captures=(b"@AZ[\\]^_`az{|}~",)) == ("cpe:/a:v:%40az%5B\\%5D^_`az{|}~",)
    assert cpe(b"a:v:$1", captures=(b"$%&'()*+,-./:<=>?;",)) == (
        "cpe:/a:v:%24%25%26%27%28%29%2A%2B%2C-.%2F%3A%3C%3D%3E%3F%3B",
    )
    assert cpe(b"a:Ven dor:P!d") == ("cpe:/a:Ven dor:P!d",)
    assert cpe(b"a:v:$1", captures=(b"a\tb\n",)) == ("cpe:/a:v:a_b_",)
    assert cpe(b'a:v:$SUBST(1,"_","X Y")', captures=(b"A_",)) == ("cpe:/a:v:ax_y",)
    assert cpe(b"a:v:p:$1", captures=(b"",)) == ("cpe:/a:v:p:",)


def test_one_cpe_of_each_part_is_kept() -> None:
    assert cpe(b"o:e:f", b"h:g:h", b"a:a:b", b"o:i:j", b"a:c:d") == ("cpe:/a:c:d", "cpe:/h:g:h", "cpe:/o:i:j")
    assert cpe(b"a:a:$1", b"a:c:d") == ("cpe:/a:c:d",)
    assert cpe(b"a:a:b", b"a:c:$1") == ()
    assert cpe(b"$1:v:b", b"o:z:z", captures=(b"o",)) == ("cpe:/o:z:z",)
    assert cpe(b"a:v:$1", captures=(b"a" * 80,)) == ()


@given(st.binary(max_size=40), st.lists(st.none() | st.binary(max_size=300), max_size=9))
def test_any_template_and_any_captures(template: bytes, captures: list[bytes | None]) -> None:
    said = expand(Template(product=template, info=b"$1 " + template, cpes=(b"cpe:/a:" + template,)), tuple(captures))
    assert said.product.isprintable()
    assert len(said.product.encode("latin-1", "replace")) < 80
    assert said.extrainfo.isprintable()
    assert all(name.isprintable() for name in said.cpe)
