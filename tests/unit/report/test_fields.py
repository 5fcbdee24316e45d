"""Values out of foreign JSON."""

import pytest

from leadline.report import fields


@pytest.mark.parametrize("line", ["", "[1]", "{", "1", '"x"', "[" * 100_000, '{"a":' + "9" * 5000 + "}"])
def test_what_is_no_object(line: str) -> None:
    assert fields.parse_fields(line) is None


def test_each_kind_or_its_empty_form() -> None:
    found = fields.parse_fields('{"t":"a\\u001b","n":1.5,"b":true,"o":{"x":1},"l":[{"y":2},3],"s":["u",1],"i":1e400}')
    assert found is not None
    assert (fields.raw(found, "t"), fields.text(found, "t"), fields.text(found, "n")) == ("a\x1b", "a\\x1b", "")
    assert [fields.number(found, name) for name in "nbti"] == [1.5, None, None, None]
    assert (fields.whole(found, "n"), fields.whole(found, "l")) == (1, 0)
    assert (fields.inner(found, "o"), fields.inner(found, "l")) == ({"x": 1}, {})
    assert list(fields.each(found, "l")) == [{"y": 2}]
    assert list(fields.each(found, "o")) == []
    assert (fields.texts(found, "s"), fields.texts(found, "t")) == (["u"], [])


def test_numbers_of_no_use() -> None:
    found = fields.parse_fields('{"a":NaN,"b":Infinity,"c":1' + "0" * 400 + "}")
    assert found is not None
    assert [fields.number(found, name) for name in "abc"] == [None] * 3


def test_pairs() -> None:
    assert fields.pairs({"r": [[1, 2], [3], "x", [4, "5"], [6, 7]]}, "r") == [(1, 2), (6, 7)]
    assert fields.pairs({}, "r") == []


def test_long_texts_are_cut() -> None:
    assert fields.shown("x" * 1000, 10) == "x" * 10 + "..."
