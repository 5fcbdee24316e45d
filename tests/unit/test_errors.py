"""Errors by who can mend them: one base for what we raise on purpose, whole sentences inside."""

from __future__ import annotations

import pickle

import pytest

import leadline
from leadline import errors
from leadline.errors import DataError, ScanError, UsageError, WireError

OURS = [one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__]


def test_one_except_clause_catches_all_that_is_raised_on_purpose() -> None:
    assert {one for one in OURS if not issubclass(one, ScanError)} == {WireError}


def test_broken_bytes_are_a_wrong_value_and_never_the_end_of_a_scan() -> None:
    assert issubclass(WireError, ValueError)
    assert not issubclass(WireError, ScanError)


@pytest.mark.parametrize("kind", [one for one in OURS if one is not WireError], ids=lambda one: one.__name__)
def test_the_public_package_names_them(kind: type) -> None:
    assert getattr(leadline, kind.__name__) is kind
    assert kind.__name__ in leadline.__all__


def test_nobody_else_can_mend_them() -> None:
    leaves = [one for one in OURS if one not in (ScanError, WireError)]
    assert not any(issubclass(one, other) for one in leaves for other in leaves if one is not other)


@pytest.mark.parametrize("messages", [("One.",), ("One.", "Two."), ()])
def test_a_usage_error_keeps_its_sentences_apart(messages: tuple[str, ...]) -> None:
    error = UsageError(*messages)
    assert error.messages == messages
    assert str(error) == "\n".join(messages)


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        ("", 0, "no such word"),
        ("names.txt", 0, "names.txt: no such word"),
        ("names.txt", 7, "names.txt:7: no such word"),
    ],
)
def test_a_data_error_says_where(path: str, line: int, text: str) -> None:
    error = DataError("no such word", path, line)
    assert (str(error), error.path, error.line) == (text, path, line)


@pytest.mark.parametrize("kind", [one for one in OURS if one is not DataError], ids=lambda one: one.__name__)
def test_errors_travel_between_processes(kind: type[Exception]) -> None:
    back = pickle.loads(pickle.dumps(kind("what happened")))
    assert type(back) is kind
    assert str(back) == "what happened"
