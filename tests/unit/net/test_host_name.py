import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.net.host_name import clean_name


@pytest.mark.parametrize("name", ["a", "host.example", "a-b.c_d.9", "x" * 63, ".".join(["a" * 62] * 4) + ".abc"])
def test_host_names_pass(name: str) -> None:
    assert clean_name(name) == name
    assert clean_name(name + ".") == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a..b",
        "a b",
        "a\nb",
        "a\x1b[31m",
        "bücher",
        "a\\032b",
        "<b>",
        "x" * 64,
        ".".join(["a" * 63] * 4) + ".b",
        "a*",
    ],
)
def test_all_else_is_dropped(text: str) -> None:
    assert clean_name(text) == ""


@given(st.text(max_size=300))
def test_what_passes_is_plain_and_short(text: str) -> None:
    name = clean_name(text)
    assert name in text
    assert len(name) <= 255
    assert name.isascii()
    assert name.isprintable()
