from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.service_rules import Template
from leadline.data.service_template import NOTHING, _any, parse_template


@pytest.mark.parametrize(
    ("text", "template"),
    [
        (b"", NOTHING),
        (b"  \t ", NOTHING),
        (b"p/nginx/", Template(product=b"nginx")),
        (b" p|a/b|  v//\ti=x y=", Template(product=b"a/b", version=b"", info=b"x y")),
        (b"hpap oxLinux d|router|", Template(hostname=b"a", ostype=b"Linu", devicetype=b"router")),
        (b"h(a( o)b) dqcq", Template(hostname=b"a", ostype=b"b", devicetype=b"c")),
        (b"cpe:/a:b:c/ cpe:,o:$1:d,a", Template(cpes=(b"cpe:/a:b:c", b"cpe:/o:$1:d"))),
        (b"p\xffx\xe9\xff", Template(product=b"x\xe9")),
        (b"p/a b/ \r", Template(product=b"a b")),
    ],
)
def test_templates(text: bytes, template: Template) -> None:
    assert parse_template(text) == template


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"p", 'the template "product" is not closed'),
        (b"p/", 'the template "product" is not closed'),
        (b"v/a", 'the template "version" is not closed'),
        (b"p/a/ p/b/", 'the template "product" is given twice'),
        (b"cpe:", "a CPE is not closed"),
        (b"cpe:/a:b", "a CPE is not closed"),
        (b"x/a/", "there is no template 'x'"),
        (b"p/a/ v/b/c", "'c' stands behind a template where a blank should"),
        (b"p/a/v/b/", "'v' stands behind a template where a blank should"),
        (b"cpe:/a:b/b", "'b' stands behind a template where a blank should"),
        (b"\xe9", "there is no template '\\xe9'"),
    ],
)
def test_mistakes(text: bytes, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parse_template(text)
    assert str(caught.value) == message


@given(st.binary(max_size=60))
def test_any_bytes_are_a_template_or_a_mistake(text: bytes) -> None:
    problem = None
    try:
        parse_template(text)
    except ValueError as caught:
        problem = caught
    assert problem is None or str(problem).isprintable()


FIELD = st.tuples(
    st.sampled_from([b"p", b" p", b" v", b" i", b"v", b" cpe:", b"cpe:", b" x", b"  h", b"", b" d"]),
    st.sampled_from([b"/a/", b"|a/b|", b"//", b"/a b/", b"/a/a", b"/a", b"/a:b:c/ "]),
).map(b"".join)


@given(st.lists(FIELD, max_size=5).map(b"".join))
def test_the_quick_way_reads_the_same(text: bytes) -> None:
    """Whatever the quick way takes for itself, the thorough one reads alike."""

    def outcome(read: Callable[[bytes], Template]) -> Template | str:
        try:
            return read(text)
        except ValueError as problem:
            return str(problem)

    assert outcome(parse_template) == outcome(_any)
