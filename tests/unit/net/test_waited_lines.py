"""Lines of descriptors, as they come."""

import io
import os
from pathlib import Path

import pytest

from leadline.errors import UsageError
from leadline.net import waited_lines as waited_lines_module
from leadline.net.waited_lines import pipe_lines, read_lines, waited_lines


def test_lines_of_a_pipe_with_a_damaged_one() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"10.0.0.1\n# \xc3\xa9 \xff\n\nlast")
    os.close(writing)
    assert list(waited_lines(reading, lambda: False)) == ["10.0.0.1", "# \u00e9 \ufffd", "", "last"]
    os.close(reading)


def test_a_line_without_end_is_cut_and_needs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = [b"10.0.0.1\n", *[bytes(60_000)] * 50, b"\n10.0.0.2\n", *[b"A" * 60_000] * 2, b"", b"never"]
    monkeypatch.setattr(waited_lines_module, "_chunk", lambda descriptor, stop: chunks.pop(0))
    lines = list(waited_lines(0, lambda: False))
    assert [line[:8] for line in lines] == ["10.0.0.1", "\0" * 8, "10.0.0.2", "A" * 8]
    assert [len(line) for line in lines] == [8, 120_000, 8, 120_000]


def test_a_stopped_line_is_none() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"10.0.0.1\n10.0.0")
    looks = iter([False, True, True])
    assert list(waited_lines(reading, lambda: next(looks))) == ["10.0.0.1"]
    os.close(reading)
    os.close(writing)


def test_what_somebody_else_took_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    os.write(keeper, b"one\n")
    read, failed = os.read, []

    def second_time(descriptor: int, count: int) -> bytes:
        if not failed:
            failed.append(1)
            raise BlockingIOError
        return read(descriptor, count)

    monkeypatch.setattr(os, "read", second_time)
    lines = pipe_lines(str(path), lambda: False)
    assert next(lines) == "one"
    lines.close()  # type: ignore[attr-defined]
    os.close(keeper)


def test_a_path_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        list(pipe_lines(str(tmp_path / "gone"), lambda: False))


def test_files_are_read_even_when_damaged(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"10.0.0.1\n\xff\xfe\n10.0.0.2")
    assert [line.rstrip() for line in read_lines(str(path))] == ["10.0.0.1", "\ufffd\ufffd", "10.0.0.2"]


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'list ".*gone" cannot be read: No such file'):
        list(read_lines(str(tmp_path / "gone")))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("10.0.0.1\n"))
    assert list(read_lines("-")) == ["10.0.0.1\n"]


def test_a_pipe_is_read_as_it_comes_and_a_stop_ends_the_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert list(read_lines(str(path), lambda: True)) == []
    looks = iter([False, False, True, True])
    assert list(read_lines(str(path), lambda: next(looks))) == []  # nobody has opened the other end
    lines = read_lines(str(path))
    keeper = os.open(path, os.O_RDWR)
    os.write(keeper, b"10.0.0.1\n10.0.0.2")
    assert next(lines) == "10.0.0.1"
    os.close(keeper)
    assert list(lines) == ["10.0.0.2"]


def test_devices_are_lists_too() -> None:
    assert list(read_lines("/dev/null")) == []
