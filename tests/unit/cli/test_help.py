"""The help shows what is true, in the width of a terminal."""

import re

from leadline.cli.help import USAGE, help_text
from leadline.cli.options import GROUPS, OPTIONS, Kind


def test_every_built_option_is_shown() -> None:
    text = help_text()
    for _, options in GROUPS:
        for option in options:
            assert f"  {option.names[0]}" in text


def test_nothing_else_is_shown() -> None:
    lines = help_text().splitlines()
    for option in OPTIONS:
        if option.kind in (Kind.MISSING, Kind.IGNORED):
            assert not [line for line in lines if line.split()[:1] == [option.names[0]]]


def test_width_and_columns() -> None:
    assert max(map(len, help_text().splitlines())) <= 120
    assert max(map(len, USAGE.splitlines())) <= 120
    for title, options in GROUPS:
        for option in options:
            name = re.compile(rf"  {re.escape(option.names[0])}([ ,\[]|$)")
            line = next(line for line in help_text().splitlines() if name.match(line))
            assert (line[29], line[30:]) == (" ", option.help), title


def test_options_of_the_output_are_nowhere_promised_twice() -> None:
    names = [name for _, options in GROUPS for option in options for name in option.names]
    assert len(names) == len(set(names))
