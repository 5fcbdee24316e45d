"""The part of JSON Schema 2020-12 that our own schema uses; an unknown keyword is an error, not ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_ANNOTATIONS = {"$schema", "$defs", "title", "description"}


def problems(value: object, schema: Schema, root: Schema | None = None, path: str = "$") -> Iterator[str]:
    """What is wrong with ``value``, each with the path to it; nothing for a valid one."""
    root = root if root is not None else schema
    for keyword, argument in schema.items():
        if keyword not in _ANNOTATIONS:
            yield from _check(keyword, argument, value, schema, root, path)


_APPLY_TO: dict[str, tuple[type, ...]] = {
    "minimum": (int, float),
    "maximum": (int, float),
    "minItems": (list,),
    "maxItems": (list,),
    "items": (list,),
    "properties": (dict,),
    "required": (dict,),
    "additionalProperties": (dict,),
}


def _check(keyword: str, argument: Any, value: Any, schema: Schema, root: Schema, path: str) -> Iterator[str]:
    if not isinstance(value, _APPLY_TO.get(keyword, (object,))):
        return  # such a keyword says nothing of other types
    if keyword == "$ref":
        yield from problems(value, root["$defs"][argument.removeprefix("#/$defs/")], root, path)
    elif keyword == "type":
        if not isinstance(value, _TYPES[argument]) or (isinstance(value, bool) and argument != "boolean"):
            yield f"{path}: {value!r} is no {argument}"
    elif keyword in ("const", "enum"):
        if value not in ([argument] if keyword == "const" else argument):
            yield f"{path}: {value!r} is not {argument!r}"
    elif keyword in ("oneOf", "anyOf"):
        yield from _alternatives(keyword, argument, value, root, path)
    elif keyword in ("minimum", "maximum"):
        if (value < argument) if keyword == "minimum" else (value > argument):
            yield f"{path}: {value!r} is beyond {keyword} {argument}"
    elif keyword in ("minItems", "maxItems"):
        if (len(value) < argument) if keyword == "minItems" else (len(value) > argument):
            yield f"{path}: length {len(value)} is beyond {keyword} {argument}"
    elif keyword == "items":
        for index, element in enumerate(value):
            yield from problems(element, argument, root, f"{path}[{index}]")
    elif keyword == "properties":
        for name in argument.keys() & value.keys():
            yield from problems(value[name], argument[name], root, f"{path}.{name}")
    elif keyword == "required":
        yield from (f"{path}: {name} is missing" for name in argument if name not in value)
    elif keyword == "additionalProperties" and argument is False:
        yield from (f"{path}: {name} is unknown" for name in value.keys() - schema["properties"].keys())
    else:
        yield f"{path}: the schema uses {keyword}, which this checker does not know"


def _alternatives(
    keyword: str, alternatives: Sequence[Schema], value: object, root: Schema, path: str
) -> Iterator[str]:
    found = [list(problems(value, alternative, root, path)) for alternative in alternatives]
    valid = found.count([])
    if valid == 0:
        closest = min(found, key=len)
        yield f"{path}: no alternative fits; the closest: {'; '.join(closest)}"
    elif keyword == "oneOf" and valid > 1:
        yield f"{path}: {valid} alternatives fit"
