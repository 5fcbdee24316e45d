"""What a user is told of a failure that nobody foresaw."""

from __future__ import annotations

import errno
import os

import pytest

from leadline.cli.faults import fault_words


def test_a_fault_of_ours_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = fault_words(ZeroDivisionError("oops"), debugging=False)
    assert told == "internal error: ZeroDivisionError: oops (a fault of Leadline; with -d it shows where)"
    assert capsys.readouterr().err == ""


def test_with_debugging_it_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        print(1 // 0)
    assert fault_words(caught.value, debugging=True).startswith("internal error: ZeroDivisionError: ")
    assert "test_faults.py" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_no_more_files_may_be_opened(number: int) -> None:
    told = fault_words(OSError(number, os.strerror(number), "/some/module.py"), debugging=False)
    assert told.startswith("too many open files: ")
    assert "internal" not in told
