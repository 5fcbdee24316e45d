from __future__ import annotations

import pytest

from leadline.data.service_grammar import parse
from leadline.data.service_rules import Rule
from leadline.errors import DataError
from leadline.services.checking import check_patterns, problems


def rule(line: bytes) -> Rule:
    return parse([("file", b"Probe TCP A q|x|\n" + line)]).probes[0].rules[0]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (rb"match a m|^(a)(b)| p/$1 $2/ cpe:/a:b:$P(1)/ cpe:/o:x:y/", []),
        (rb"match a m|(a| ", ["the pattern does not compile: missing closing parenthesis (at its byte 2)"]),
        (rb"match a m|^a*|", ["the pattern matches nothing at all"]),
        (rb"match a m|^$|", ["the pattern matches nothing at all"]),
        (rb"match a m|(?!x)|", ["the pattern matches nothing at all"]),
        (rb"match a m|(a)| p/$2/ v/$x/", ["'$2': there is no capture 2", "'$x': \"$\" begins no insertion"]),
        (rb"match a m|a| cpe:/b:x:y/", ["'cpe:/b:x:y' is not cpe:/PART:VENDOR:PRODUCT with a part of a, h, o"]),
        (rb"match a m|a| cpe:/a:x/", ["'cpe:/a:x' is not cpe:/PART:VENDOR:PRODUCT with a part of a, h, o"]),
        (rb"match a m|a| cpe:/a:x:y/ cpe:/a:x:z/", ["two CPEs are of the same part (a, h, o), of which only the last"]),
    ],
)  # fmt: skip
def test_problems(line: bytes, found: list[str]) -> None:
    said = list(problems(rule(line)))
    assert len(said) == len(found)
    assert all(text.startswith(begin) for text, begin in zip(said, found, strict=True)), said


def test_the_first_bad_pattern_is_an_error() -> None:
    check_patterns(parse([("file", b"Probe TCP A q|x|\nmatch a m|b|\nmatch a m|c| p/$7/\n")]))
    with pytest.raises(DataError, match=r"^file:3: the pattern does not compile: "):
        check_patterns(parse([("file", b"Probe TCP A q|x|\nmatch a m|b|\nmatch a m|(|\nmatch a m|)|\n")]))
    with pytest.raises(DataError, match=r"^file:2: the pattern matches nothing at all$"):
        check_patterns(parse([("file", b"Probe TCP A q|x|\nmatch a m|b?|\n")]))
