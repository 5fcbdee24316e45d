"""Strings that came from the network, made safe for where they are written.

A host name, a banner or a vendor may carry anything: escape sequences that drive a terminal, bidirectional marks that
reorder what is read, characters that XML forbids, tabs that would forge a field of the grepable format.
"""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_SPACES = "\t\n\r"


def for_terminal(text: str) -> str:
    """``text`` with everything unprintable written as a backslash escape.

    Unprintable is what Unicode calls control, format (bidirectional and zero-width marks are), surrogate, private,
    unassigned, and every separator but the plain space; line ends too, so the result is always one line.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _code(character) for character in text)


def for_grepable(text: str) -> str:
    """``text`` as the value of one grepable field: one line, no tab, ``/`` written as ``|`` (spec sheet 6.2)."""
    return for_terminal(text).replace("/", "|")


def for_xml(text: str) -> str:
    """``text`` for an attribute in double quotes or for element content.

    Characters that XML 1.0 (section 2.2) does not allow become backslash escapes: they cannot be written in any
    form. Unprintable ones that it allows become references: a parser gets them whole, while a document shown on a
    terminal stays harmless.
    """
    if text.isprintable():
        if "&" in text or "<" in text or ">" in text or '"' in text:
            return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        return text
    return "".join(_xml_character(character) for character in text)


def for_xml_comment(text: str) -> str:
    """``text`` for the inside of a comment, where two hyphens in a row are not allowed (XML 1.0, section 2.5)."""
    return for_xml(for_terminal(text)).replace("--", "-&#45;")


def command_line(arguments: Iterable[str]) -> str:
    """The command line as typed, on one line: arguments with blanks or quotes in double quotes (spec sheet 6.1)."""
    return " ".join(_quoted(for_terminal(argument)) for argument in arguments)


def _quoted(argument: str) -> str:
    if argument and not any(character in " \"'" for character in argument):
        return argument
    return '"' + argument.replace('"', '\\"') + '"'


def _code(character: str) -> str:
    value = ord(character)
    if value < 0x100:
        return f"\\x{value:02x}"
    return f"\\u{value:04x}" if value < 0x10000 else f"\\U{value:08x}"


def _xml_character(character: str) -> str:
    if character.isprintable():
        return _NAMED.get(character, character)
    value = ord(character)
    forbidden = value < 0x20 or 0xD800 <= value <= 0xDFFF or value in (0xFFFE, 0xFFFF)
    if forbidden and character not in _SPACES:
        return _code(character)
    return f"&#x{value:x};"
