"""The terminal while a scan runs: progress line and keys together, or nothing where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO, cast

from leadline.cli.interaction import Interaction
from leadline.cli.keys import Keys
from leadline.cli.live import InFront, LiveLine
from leadline.model.event import Event
from leadline.report.text import NormalText

if TYPE_CHECKING:
    from leadline.engine.control import Control
    from leadline.report.sink import Sink


def has_colour(stream: TextIO | None, environment: Mapping[str, str]) -> bool:
    """Colour for people only: a terminal that can, and nobody asked for none (no-color.org)."""
    return is_terminal(stream) and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits behind a standard stream, which is ``None`` when the process was started without it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


class Terminal:
    """Entered around a scan. ``interactive`` False (``--noninteractive``) makes it do nothing.

    The progress line is drawn on standard error if that is a terminal; keys are read from standard input if that is
    one and nobody else reads it (``read_keys``). Both may be missing, alone or together.
    """

    def __init__(
        self, control: Control, sinks: Sequence[Sink], interactive: bool, term: str, read_keys: bool = True
    ) -> None:
        self._line: LiveLine | None = None
        self._keys: Keys | None = None
        self._streams: tuple[TextIO, TextIO] | None = None
        texts = [sink for sink in sinks if sink.name == "standard output" and isinstance(sink.report, NormalText)]
        self._interaction = Interaction(control, texts, self._say)
        if not interactive:
            return
        if is_terminal(sys.stderr) and term != "dumb":
            self._line = LiveLine(sys.stderr, _columns, time.monotonic)
        if read_keys and is_terminal(sys.stdin):
            self._keys = Keys(sys.stdin.fileno(), self._interaction.pressed)

    def __enter__(self) -> Terminal:
        if self._line is not None:
            self._streams = (sys.stdout, sys.stderr)
            sys.stdout = cast(TextIO, InFront(sys.stdout, self._line))
            sys.stderr = cast(TextIO, InFront(sys.stderr, self._line))
        if self._keys is not None:
            self._keys.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._keys is not None:
            self._keys.close()
        if self._line is not None:
            self._line.erase()
        if self._streams is not None:
            sys.stdout, sys.stderr = self._streams
            self._streams = None

    def restore(self) -> None:
        """Put the terminal right without ceremony: the process is about to be left."""
        if self._keys is not None:
            self._keys.restore()

    def before(self, event: Event) -> None:
        """Keys that were pressed take effect on this event."""
        self._interaction.carry_out()

    def after(self, event: Event) -> None:
        """The progress line follows the event."""
        if self._line is not None:
            self._line.feed(event)

    def _say(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _columns() -> int:
    """How wide the terminal is now. Imported here: only a terminal asks."""
    import shutil

    return shutil.get_terminal_size().columns
