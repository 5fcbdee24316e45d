"""A second pair of hands: one call at a time beside the caller's own work.

Worth it for calls that are mostly the kernel's: Python's lock is not held there, so two processors work at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Result = TypeVar("Result")


def leave_alone(call: Callable[[], object], name: str) -> None:
    """Let a call be done by a thread that nobody waits for; at once where no more threads are allowed."""
    thread = threading.Thread(target=call, name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        call()


class SecondThread(Generic[Result]):
    """Give it a call with ``begin``, fetch what it returned with ``result``, in turns. Not thread-safe itself.

    The thread is started by the first ``begin``; after ``close`` the next one starts another.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread: threading.Thread | None = None
        self._calls: SimpleQueue[Callable[[], Result] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Result, None] | tuple[None, BaseException]] = SimpleQueue()

    @staticmethod
    def pays() -> bool:
        """Whether this process may run on more than one processor."""
        return len(os.sched_getaffinity(0)) > 1

    def begin(self, call: Callable[[], Result]) -> None:
        """Start a call; the one before it must have been fetched."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are allowed: one after the other, then
                self._call(call)
                return
            self._thread = thread
        self._calls.put(call)

    @property
    def ready(self) -> bool:
        """Whether ``result`` need not wait."""
        return not self._results.empty()

    def result(self) -> Result:
        """Wait for the call and return its result, or raise what it raised."""
        returned, raised = self._results.get()
        if raised is not None:
            raise raised
        return returned  # type: ignore[return-value]

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            self._call(call)

    def _call(self, call: Callable[[], Result]) -> None:
        try:
            self._results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is fetched
            self._results.put((None, error))

    def close(self) -> None:
        """End the thread; a call that was begun is finished first, its result forgotten."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join()
            self._thread = None
        while not self._results.empty():
            self._results.get()
