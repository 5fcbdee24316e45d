"""A rule's templates, filled in with what its pattern captured.

Insertions: ``$1`` to ``$9``, a capture; ``$P(1)``, its printable ASCII; ``$SUBST(1,"a","b")``, with every a made b (its
strings may hold the escapes of C);
``$I(1,">")``, its at most 8 bytes as a decimal number, most (``>``) or least (``<``) significant byte first.
A template that asks for a capture that took no part in the match, or that is not of this form, says nothing. A field
that is too long is dropped; blanks and commas at its end go. In CPEs, captures are lower-cased, their blanks made ``_``
and RFC 3986's reserved characters escaped; one of each part (a, h, o) is kept, the last one written.

Fields end at a zero byte. They become text as UTF-8 where they are UTF-8, else as ISO 8859-1; what is not printable
becomes a dot. The bytes themselves are in the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache

from leadline.data.service_grammar import ESCAPES
from leadline.data.service_rules import Template
from leadline.services.pattern import Captures

ROOM = {"product": 80, "version": 80, "info": 256, "hostname": 80, "ostype": 32, "devicetype": 32, "cpe": 80}
"""Bytes for a field and the zero byte behind it (spec sheet 3.1); right behind an insertion one more must be free."""
LONGEST_NUMBER = 8

_STRING = rb'\s*"((?:[^"\\]|\\.)*)"\s*'
_INSERTION = re.compile(
    rb"\$(?:([1-9])|P\(\s*([1-9])\s*\)|SUBST\(\s*([1-9])\s*,"
    + _STRING
    + b","
    + _STRING
    + rb"""\)|I\(\s*([1-9])\s*,\s*"([<>])"\s*\)|)""",
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_RESERVED = re.compile(rb"""[:/?#\[\]@!$&'()*+,;=%<>"]""")
_BLANK = re.compile(rb"\s")

Part = bytes | Callable[[Captures], bytes]


@dataclass(frozen=True, slots=True)
class Fields:
    """What a match says of a service; empty: nothing."""

    product: str = ""
    version: str = ""
    extrainfo: str = ""
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""
    cpe: tuple[str, ...] = ()


FIELDS = tuple(field.name for field in fields(Fields))
"""The names of what a rule can say of a service, those of ``model.service.Service``."""


def expand(template: Template, captures: Captures) -> Fields:
    """Never raises."""
    return Fields(
        _field(template.product, captures, ROOM["product"]),
        _field(template.version, captures, ROOM["version"]),
        _field(template.info, captures, ROOM["info"]),
        _field(template.hostname, captures, ROOM["hostname"]),
        _field(template.ostype, captures, ROOM["ostype"]),
        _field(template.devicetype, captures, ROOM["devicetype"]),
        _cpes(template.cpes, captures),
    )


def problem_of(text: bytes, captures: int) -> str:
    """What is wrong with a template of a pattern with so many captures, in words; empty: nothing."""
    try:
        parts = _parts(text, False)
        for part in parts:
            if callable(part):
                part((b"1",) * captures)
    except ValueError as problem:
        return str(problem)
    return ""


def _field(template: bytes | None, captures: Captures, room: int) -> str:
    return "" if template is None else _text(_filled(template, captures, room).rstrip(b" \t\r\n\v\f,"))


def _cpes(templates: tuple[bytes, ...], captures: Captures) -> tuple[str, ...]:
    found: dict[bytes, str] = {}
    for template in templates:
        filled = _filled(template, captures, ROOM["cpe"], cpe=True)
        found[(filled or template)[5:6]] = _text(filled)
    return tuple(found[part] for part in sorted(found) if found[part])


def _text(filled: bytes) -> str:
    try:
        text = filled.decode()
    except UnicodeDecodeError:
        text = filled.decode("latin-1")
    return text if text.isprintable() else "".join(char if char.isprintable() else "." for char in text)


def _filled(template: bytes, captures: Captures, room: int, cpe: bool = False) -> bytes:
    """Up to the first zero byte; nothing when it cannot be filled in or is too long."""
    if b"$" in template:
        filled = bytearray()
        try:
            for part in _parts(template, cpe):
                if isinstance(part, bytes):
                    filled += part
                else:
                    filled += part(captures)
                    if len(filled) > room - 2:
                        return b""
        except ValueError:
            return b""
        template = bytes(filled)
    return template.partition(b"\0")[0] if len(template) < room else b""


@lru_cache(maxsize=4096)
def _parts(template: bytes, cpe: bool) -> tuple[Part, ...]:
    """Literal bytes and insertions in turn; raises ``ValueError`` for an insertion that is not of a known form."""
    parts: list[Part] = []
    place = 0
    for match in _INSERTION.finditer(template):
        if match[0] == b"$":
            raise ValueError('"$" begins no insertion ($1, $P(1), $SUBST(1,"a","b"), $I(1,">"))')
        parts += (template[place : match.start()], _insertion(match, cpe))
        place = match.end()
    parts.append(template[place:])
    return tuple(part for part in parts if part)


def _insertion(match: re.Match[bytes], cpe: bool) -> Part:
    number = int(match[1] or match[2] or match[3] or match[6])
    change = _change(match)

    def insert(captures: Captures) -> bytes:
        caught = captures[number - 1] if number <= len(captures) else None
        if caught is None:
            raise ValueError(f"there is no capture {number}")
        changed = change(caught)
        return _cpe_escaped(changed) if cpe else changed

    return insert


def _change(match: re.Match[bytes]) -> Callable[[bytes], bytes]:
    """What an insertion does to its capture."""
    if match[2]:
        return _printable
    if match[6]:
        order = match[7]
        return lambda caught: _decimal(caught, order)
    if match[3]:
        old, new = _unescaped(match[4]), _unescaped(match[5])
        if not old:
            raise ValueError("$SUBST has nothing to replace")
        return lambda caught: caught.replace(old, new)
    return bytes


def _unescaped(text: bytes) -> bytes:
    """The escapes of C as the bytes they mean."""
    return _ESCAPE.sub(lambda e: bytes.fromhex(e[1].decode()) if e[1] else ESCAPES.get(e[2], e[2]), text)


def _printable(caught: bytes) -> bytes:
    return bytes(byte for byte in caught if 32 <= byte < 127)


def _decimal(caught: bytes, order: bytes) -> bytes:
    if len(caught) > LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} bytes")
    return b"%d" % int.from_bytes(caught, "big" if order == b">" else "little")


def _cpe_escaped(caught: bytes) -> bytes:
    return _RESERVED.sub(lambda match: b"%%%02X" % match[0][0], _BLANK.sub(b"_", caught.lower()))
