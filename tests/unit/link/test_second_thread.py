from __future__ import annotations

import os
import threading

import pytest

from leadline.link.second_thread import SecondThread, leave_alone


def test_a_call_runs_beside_the_caller() -> None:
    second: SecondThread[int] = SecondThread("second")
    together = threading.Barrier(2, timeout=10)
    for turn in range(3):
        second.begin(lambda turn=turn: (together.wait(), threading.get_ident(), turn)[-1])
        assert not second.ready
        together.wait()
        assert second.result() == turn
        assert not second.ready
    second.close()


def test_what_it_raises_is_raised_where_the_result_is_fetched() -> None:
    second: SecondThread[float] = SecondThread("second")
    second.begin(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        second.result()
    second.begin(lambda: 2.0)
    assert second.result() == 2.0
    second.close()


def test_closing_ends_the_thread_and_forgets_results() -> None:
    second: SecondThread[int] = SecondThread("ended soon")
    second.close()
    second.begin(lambda: 1)
    second.close()
    assert "ended soon" not in {thread.name for thread in threading.enumerate()}
    second.begin(lambda: 2)
    assert second.result() == 2
    second.close()


def test_one_processor_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3})
    assert not SecondThread.pays()
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 4})
    assert SecondThread.pays()


def test_where_no_thread_can_be_had_the_caller_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    second: SecondThread[int] = SecondThread("none")
    for turn in range(2):
        second.begin(lambda turn=turn: turn)
        assert second.ready
        assert second.result() == turn
    second.close()
    calls: list[int] = []
    leave_alone(lambda: calls.append(threading.get_ident()), "none")
    assert calls == [threading.get_ident()]


def test_what_is_left_alone_is_not_waited_for() -> None:
    gate, done = threading.Event(), threading.Event()
    leave_alone(lambda: gate.wait(10) and done.set(), "alone")
    assert not done.is_set()
    gate.set()
    assert done.wait(10)
