"""Keys from a pseudo terminal. A process must own its terminal, so the reader runs in a child with a session."""

import os
import pty
import queue
import select
import subprocess
import sys
import termios
import time

from leadline.cli.keys import Keys, _keys_of

CHILD = """
import fcntl, queue, sys, termios, time
from leadline.cli.keys import Keys
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
pressed = queue.SimpleQueue()
keys = Keys(0, pressed.put)
before = termios.tcgetattr(0)[3]
print("started", keys.start(), flush=True)
print("raw", not termios.tcgetattr(0)[3] & (termios.ICANON | termios.ECHO), flush=True)
for _ in range(3):
    print("key", repr(pressed.get(timeout=20)), flush=True)
line_mode = termios.tcgetattr(0)
line_mode[3] = before
termios.tcsetattr(0, termios.TCSADRAIN, line_mode)
deadline = time.monotonic() + 20
while termios.tcgetattr(0)[3] & termios.ICANON and time.monotonic() < deadline:
    time.sleep(0.02)
print("again", not termios.tcgetattr(0)[3] & termios.ICANON, flush=True)
keys.close()
keys.close()
print("restored", termios.tcgetattr(0)[3] == before, flush=True)
"""


def read_until(descriptor: int, words: str) -> str:
    text, deadline = "", time.monotonic() + 20
    while words not in text:
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"no {words!r} in {text!r}"
        text += os.read(descriptor, 4096).decode()
    return text


def test_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    out, into = os.pipe()
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=theirs, stdout=into, start_new_session=True)
    os.close(theirs)
    os.close(into)
    try:
        text = read_until(out, "raw")
        os.write(ours, b"v")
        text += read_until(out, "'v'")
        os.write(ours, b"\x1b[A")
        text += read_until(out, "[A")
        os.write(ours, b"?")
        text += read_until(out, "restored True")
        assert "started True" in text
        assert "raw True" in text
        assert "again True" in text
        assert child.wait(20) == 0
    finally:
        child.kill()
        child.wait()
        os.close(ours)
        os.close(out)


def test_somebody_else_s_terminal_is_left_alone() -> None:
    """A terminal of which we are not the foreground process."""
    ours, theirs = pty.openpty()
    try:
        before = termios.tcgetattr(theirs)
        keys = Keys(theirs, queue.SimpleQueue[str]().put)
        assert not keys.start()
        keys.close()
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


def test_no_terminal() -> None:
    out, into = os.pipe()
    keys = Keys(out, queue.SimpleQueue[str]().put)
    assert not keys.start()
    keys.close()
    os.close(out)
    os.close(into)
    assert not Keys(out, print).start()


def test_escape_sequences_are_one_key() -> None:
    assert _keys_of("ab") == ["a", "b"]
    assert _keys_of("\x1b[A") == ["\x1b[A"]
