"""A rule's templates, filled in with what its pattern captured (spec sheet 3.1).

Insertions: ``$1`` to ``$9``, a capture; ``$P(1)``, its printable ASCII; ``$SUBST(1,"a","b")``, with every a made b;
``$I(1,">")``, its at most 8 bytes as a decimal number, most (``>``) or least (``<``) significant byte first.
A template that asks for a capture that is not there, or that is not of this form, says nothing. Blanks and commas at a
field's end go; a field that is too long is dropped. In CPEs, captures are lower-cased, their blanks made ``_`` and what
is special in a CPE escaped.

Fields become text as UTF-8 where they are UTF-8, else byte for byte (ISO 8859-1): nothing is lost, and whoever prints
them escapes what is not printable.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from leadline.data.service_rules import Template
from leadline.services.pattern import Captures

LONGEST = {"product": 80, "version": 80, "info": 256, "hostname": 80, "ostype": 32, "devicetype": 32, "cpe": 80}
LONGEST_NUMBER = 8

_INSERTION = re.compile(
    rb'\$(?:([1-9])|P\(([1-9])\)|SUBST\(([1-9]),"([^"]*)","([^"]*)"\)|I\(([1-9]),"([<>])"\)|)', re.DOTALL
)
_CPE_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-._~*")

Part = bytes | Callable[[Captures], bytes]


@dataclass(frozen=True, slots=True)
class Fields:
    """What a match says of a service; empty: nothing."""

    product: str = ""
    version: str = ""
    info: str = ""
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""
    cpe: tuple[str, ...] = ()


def expand(template: Template, captures: Captures) -> Fields:
    """Never raises."""
    return Fields(
        _field(template.product, captures, LONGEST["product"]),
        _field(template.version, captures, LONGEST["version"]),
        _field(template.info, captures, LONGEST["info"]),
        _field(template.hostname, captures, LONGEST["hostname"]),
        _field(template.ostype, captures, LONGEST["ostype"]),
        _field(template.devicetype, captures, LONGEST["devicetype"]),
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


def _field(template: bytes | None, captures: Captures, longest: int) -> str:
    if template is None:
        return ""
    return _text(_filled(template, captures).rstrip(b" \t\r\n\v\f,"), longest)


def _cpes(templates: tuple[bytes, ...], captures: Captures) -> tuple[str, ...]:
    """One of each part (a, h, o), the first that says something."""
    found: dict[str, str] = {}
    for template in templates:
        text = _text(_filled(template, captures, cpe=True), LONGEST["cpe"])
        if text and text[5:6] not in found:
            found[text[5:6]] = text
    return tuple(found.values())


def _text(filled: bytes, longest: int) -> str:
    if len(filled) > longest:
        return ""
    try:
        return filled.decode()
    except UnicodeDecodeError:
        return filled.decode("latin-1")


def _filled(template: bytes, captures: Captures, cpe: bool = False) -> bytes:
    if b"$" not in template:
        return template
    try:
        return b"".join(part if isinstance(part, bytes) else part(captures) for part in _parts(template, cpe))
    except ValueError:
        return b""


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
    change: Callable[[bytes], bytes] = bytes
    if match[2]:
        change = _printable
    elif match[3]:
        old, new = match[4], match[5]
        change = lambda caught: caught.replace(old, new) if old else caught  # noqa: E731
    elif match[6]:
        order = match[7]
        change = lambda caught: _decimal(caught, order)  # noqa: E731

    def insert(captures: Captures) -> bytes:
        if number > len(captures):
            raise ValueError(f"there is no capture {number}")
        changed = change(captures[number - 1] or b"")
        return _cpe_escaped(changed) if cpe else changed

    return insert


def _printable(caught: bytes) -> bytes:
    return bytes(byte for byte in caught if 32 <= byte < 127)


def _decimal(caught: bytes, order: bytes) -> bytes:
    if len(caught) > LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} bytes")
    return b"%d" % int.from_bytes(caught, "big" if order == b">" else "little")


def _cpe_escaped(caught: bytes) -> bytes:
    lower = caught.lower().replace(b" ", b"_")
    return b"".join(b"%c" % byte if byte in _CPE_PLAIN or byte == 95 else b"%%%02x" % byte for byte in lower)
