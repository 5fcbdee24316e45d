"""A list on standard input is read as it comes, and a stop ends the reading though nothing comes."""

import io
import os
import sys
from collections.abc import Iterator

import pytest

from leadline.cli.standard_input import StoppableInput


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a pipe; its other end."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        yield writing


def test_lines_are_read_to_the_end(pipe: int) -> None:
    os.write(pipe, b"10.0.0.1\n# \xc3\xa9 \xff\n\nlast")
    os.close(pipe)
    before = sys.stdin
    with StoppableInput(lambda: False):
        assert list(sys.stdin) == ["10.0.0.1", "# \u00e9 \ufffd", "", "last"]
    assert sys.stdin is before


def test_a_line_is_there_before_the_next_is_written(pipe: int) -> None:
    with StoppableInput(lambda: False):
        lines = iter(sys.stdin)
        os.write(pipe, b"10.0.0.1\n10.0.")
        assert next(lines) == "10.0.0.1"
        os.write(pipe, b"0.2\n")
        assert next(lines) == "10.0.0.2"
    os.close(pipe)


def test_a_stop_ends_it_and_half_a_line_is_none(pipe: int) -> None:
    looks: list[bool] = []

    def stop() -> bool:
        looks.append(True)
        return len(looks) > 3

    os.write(pipe, b"10.0.0.1\n10.0.0")
    with StoppableInput(stop):
        assert list(sys.stdin) == ["10.0.0.1"]
    os.close(pipe)


def test_a_stream_without_descriptor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO("10.0.0.1\n")
    monkeypatch.setattr(sys, "stdin", stream)
    with StoppableInput(lambda: False):
        assert sys.stdin is stream
    assert sys.stdin is stream
