import io
from pathlib import Path

import pytest

from leadline.errors import UsageError
from leadline.targets.input_file import expressions, read_lines


def test_expressions_stand_between_blanks() -> None:
    lines = ["10.0.0.1 10.0.0.2\t10.0.0.3\n", "# nothing\n", "\n", "host.example # a comment 10.9.9.9\r\n", "::1#x"]
    assert list(expressions(lines)) == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "host.example", "::1"]


def test_expressions_come_as_the_lines_do() -> None:
    def endless() -> object:
        while True:
            yield "10.0.0.1 10.0.0.2\n"

    stream = expressions(endless())  # type: ignore[arg-type]
    assert [next(stream) for _ in range(3)] == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]


def test_files_are_read_even_when_damaged(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"10.0.0.1\n\xff\xfe\n10.0.0.2")
    assert list(expressions(read_lines(str(path)))) == ["10.0.0.1", "\ufffd\ufffd", "10.0.0.2"]


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'list ".*gone" cannot be read: No such file'):
        list(read_lines(str(tmp_path / "gone")))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("10.0.0.1\n"))
    assert list(read_lines("-")) == ["10.0.0.1\n"]
