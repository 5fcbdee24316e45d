"""Single key presses from the terminal while a scan runs."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

_LONGEST_WAIT = 0.5
_TERMINAL_ERRORS = (OSError, ValueError)


class Keys:
    """Reads keys of the terminal ``descriptor`` in a thread and gives each to ``pressed`` (called in that thread).

    The terminal is taken out of line mode while the reader runs and put back by ``close``. Where ``descriptor`` is
    no terminal, or this process is in the background, nothing happens at all.
    """

    def __init__(self, descriptor: int, pressed: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._pressed = pressed
        self._saved: list[object] | None = None
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None

    def start(self) -> bool:
        """Begin to read; False when there is no terminal to read from."""
        if not self._foreground() or not self._leave_line_mode():
            return False
        self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read, name="leadline-keys", daemon=True)
        self._thread.start()
        return True

    def close(self) -> None:
        """Stop reading and put the terminal back. May be called again."""
        if self._thread is not None and self._wake is not None:
            os.write(self._wake[1], b"x")
            self._thread.join(timeout=2.0)
            self._thread = None
            for end in self._wake:
                os.close(end)
        self.restore()

    def restore(self) -> None:
        """Put the terminal back without waiting for the thread (safe in a signal handler)."""
        import termios

        saved, self._saved = self._saved, None
        if saved is not None:
            with suppress(termios.error, *_TERMINAL_ERRORS):
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, saved)  # type: ignore[arg-type]

    def _foreground(self) -> bool:
        try:
            return os.isatty(self._descriptor) and os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except _TERMINAL_ERRORS:
            return False

    def _leave_line_mode(self) -> bool:
        """False when the terminal does not let us. What it was like is kept the first time."""
        import termios

        try:
            saved = termios.tcgetattr(self._descriptor)
            changed = termios.tcgetattr(self._descriptor)
            # Signals stay (Ctrl-C): only line editing and echo go.
            changed[3] &= ~(termios.ICANON | termios.ECHO)
            if changed != saved:
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, changed)
        except (termios.error, *_TERMINAL_ERRORS):
            return False
        if self._thread is None:
            self._saved = list(saved)
        return True

    def _read(self) -> None:
        assert self._wake is not None
        while True:
            ready, _, _ = select.select([self._descriptor, self._wake[0]], [], [], _LONGEST_WAIT)
            if self._wake[0] in ready:
                return
            # In the background a read would stop the whole process (SIGTTIN).
            if not self._foreground():
                select.select([self._wake[0]], [], [], _LONGEST_WAIT)  # keys wait for somebody else: no busy loop
                continue
            if not ready:
                # Stopped and continued (Ctrl-Z, fg): the shell has put the terminal back into line mode meanwhile.
                if self._saved is not None:
                    self._leave_line_mode()
                continue
            try:
                typed = os.read(self._descriptor, 64)
            except OSError:
                return
            if not typed:
                return
            for key in _keys_of(typed.decode("latin-1")):
                self._pressed(key)


def _keys_of(typed: str) -> list[str]:
    """An escape sequence (an arrow key) is one key, not several letters."""
    return [typed] if typed.startswith("\x1b") else list(typed)
