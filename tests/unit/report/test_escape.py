from __future__ import annotations

import shlex
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from leadline.report.escape import command_line, for_grepable, for_terminal, for_xml, for_xml_comment

anything = st.text(st.characters(codec=None, categories=None))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("www.example.org", "www.example.org"),
        ("Müller & Söhne", "Müller & Söhne"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb\r\n", "a\\x09b\\x0d\\x0a"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\u202eevil\u200b", "\\u202eevil\\u200b"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("", ""),
    ],
)
def test_terminal_gets_only_what_can_be_printed(text: str, safe: str) -> None:
    assert for_terminal(text) == safe


@given(anything)
def test_terminal_text_is_one_printable_line(text: str) -> None:
    safe = for_terminal(text)
    assert safe.isprintable()
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in safe)


@given(anything)
def test_grepable_value_forges_no_field(text: str) -> None:
    value = for_grepable(text)
    assert not set(value) & set("\t\n\r/")
    assert value.isprintable()


@given(anything)
def test_xml_attribute_always_parses_and_keeps_what_xml_allows(text: str) -> None:
    written = for_xml(text)
    assert written.isprintable()
    read = etree.fromstring(f'<a b="{written}"/>'.encode()).get("b")
    if all(character in "\t\n\r" or ord(character) >= 0x20 for character in text) and not _has_forbidden(text):
        assert read == text
    content = etree.fromstring(f"<a>{written}</a>".encode()).text or ""
    assert content == read


def _has_forbidden(text: str) -> bool:
    return any(0xD800 <= ord(character) <= 0xDFFF or character in "\ufffe\uffff" for character in text)


@given(anything)
def test_xml_comment_never_ends_early(text: str) -> None:
    document = etree.fromstring(f"<a><!-- {for_xml_comment(text)} --></a>".encode())
    assert [node.tag for node in document] == [etree.Comment]


def test_xml_comment_writes_options_as_nmap_does() -> None:
    assert for_xml_comment("leadline --open --- x") == "leadline -&#45;open -&#45;- x"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("leadline", "-sS", "10.0.0.0/8"), "leadline -sS 10.0.0.0/8"),
        (("a b", ""), '"a b" ""'),
        (('say "hi"', "it's"), '"say \\"hi\\"" "it\'s"'),
        (("bad\x1bname",), "bad\\x1bname"),
    ],
)
def test_command_line(arguments: tuple[str, ...], line: str) -> None:
    assert command_line(arguments) == line


@given(st.lists(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="\\"))))
def test_command_line_can_be_split_again(arguments: list[str]) -> None:
    assert shlex.split(command_line(arguments)) == arguments
