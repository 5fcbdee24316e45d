"""What a rule says of its service: the part of a ``match`` line behind its pattern (spec sheet 3.1).

::

    templates = *( blanks ( letter text | "cpe:" text flags ) )
    letter    = "p" | "v" | "i" | "h" | "o" | "d"     ; product, version, info, host name, OS, device type
    text      = delimiter *byte delimiter             ; any byte serves as delimiter
    flags     = *"a"

Reads them; ``services.expansion`` fills in what the pattern captured.
"""

from __future__ import annotations

from leadline.data.service_rules import Template

_BLANK = ord(" ")
_BLANKS = b" \t\r"
_FIELDS = {
    ord("p"): "product",
    ord("v"): "version",
    ord("i"): "info",
    ord("h"): "hostname",
    ord("o"): "ostype",
    ord("d"): "devicetype",
}
_CPE = b"cpe:"
# How nearly all templates are written: slashes, one blank between them. The first one has no blank in front.
_SLASHED = {b"%s%c" % (blank, letter): name for letter, name in _FIELDS.items() for blank in (b"", b" ")}
_SLASHED_CPES = (_CPE, b" " + _CPE)
NOTHING = Template()


def parse_template(text: bytes) -> Template:
    """Raises ``ValueError``, with what is wrong in words."""
    if not text:
        return NOTHING
    return _slashed(text) or _any(text)


def _slashed(text: bytes) -> Template | None:
    """A fifth of the time of ``_any``; ``None`` when something is written in another way, or wrong."""
    pieces = text.split(b"/")
    if len(pieces) % 2 == 0 or pieces[-1].strip():
        return None
    fields: dict[str, bytes] = {}
    cpes = []
    first = True
    for before, content in zip(pieces[::2], pieces[1::2], strict=False):
        if before in _SLASHED_CPES:
            cpes.append(b"cpe:/" + content)
        else:
            name = _SLASHED.get(before)
            if name is None or name in fields:
                return None
            fields[name] = content
        if not first and before[0] != _BLANK:
            return None
        first = False
    return Template(cpes=tuple(cpes), **fields)


def _any(text: bytes) -> Template:
    fields: dict[str, bytes] = {}
    cpes: list[bytes] = []
    find = text.find
    place, length = 0, len(text)
    while place < length:
        first = text[place]
        name = _FIELDS.get(first)
        if name is not None:
            end = find(text[place + 1 : place + 2], place + 2)
            if end < 0 or place + 1 >= length:
                raise ValueError(f'the template "{name}" is not closed')
            if name in fields:
                raise ValueError(f'the template "{name}" is given twice')
            fields[name] = text[place + 2 : end]
            place = end + 1
        elif text.startswith(_CPE, place):
            end = find(text[place + 4 : place + 5], place + 5)
            if end < 0 or place + 4 >= length:
                raise ValueError("a CPE is not closed")
            cpes.append(b"cpe:/" + text[place + 5 : end])
            place = end + 1
            while place < length and text[place] == 97:
                place += 1
        elif first in _BLANKS:
            place += 1
            continue
        else:
            raise ValueError(f"there is no template {chr(first)!a}")
        if place < length and text[place] not in _BLANKS:
            raise ValueError(f"{chr(text[place])!a} stands behind a template where a blank should")
    return Template(cpes=tuple(cpes), **fields)
