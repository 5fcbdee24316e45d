"""``leadline explain FILE HOST[:PORT]``: reads what ``-oJ`` wrote, line by line, and tells why a port is what it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import BinaryIO

from leadline.cli import exit_codes
from leadline.errors import UsageError
from leadline.model.quick_dataclass import dataclass
from leadline.report.explain import FEW_BYTES, host_story, port_story, what_is_there
from leadline.report.fields import parse_fields, raw, shown
from leadline.report.recording import KNOWN, SCHEMA, Recording

HELP = """\
Usage: leadline explain [-v] FILE.json HOST[:PORT[/tcp|udp|sctp]]

Tells from a file that -oJ wrote (- is standard input) why a port is what it is, how its service was recognised and how
the timing went; without PORT the host's story and a line for each of its ports.
HOST is an address or a name, as typed or from reverse look-up. IPv6 with a port: [2001:db8::1]:22
  -v      more bytes of each exchange with a service; -vv still more
  -h      this help
Exit status: 0 told, 1 the host or port is not in the file, 2 a mistake on the command line or no such file.
"""
MOST_LINE = 64 << 20
"""Bytes: a longer line is passed over. All 65,535 ports of a host, told one by one with services, are below it."""
_MOST_FIRST = 4 << 20
_PORT = re.compile(r"(.+?)(?::(\d{1,5})(?:/(tcp|udp|sctp|ip))?)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. ``port``: ``None`` for the host; ``protocol`` empty: any. ``most``: bytes of an exchange."""

    file: str
    host: str
    port: int | None = None
    protocol: str = ""
    most: int = FEW_BYTES


def explain(arguments: Sequence[str]) -> tuple[int, str]:
    """Exit status and text for standard output; remarks on the file go to the error stream. Raises ``UsageError``."""
    if any(argument in ("-h", "--help", "-help") for argument in arguments):
        return exit_codes.SUCCESS, HELP
    question = parse_question(arguments)
    recording = Recording(question.host)
    if question.file == "-":
        remarks = _read(sys.stdin.buffer, "standard input", recording)
    else:
        try:
            with open(question.file, "rb") as stream:
                remarks = _read(stream, repr(question.file), recording)
        except OSError as error:
            raise UsageError(f"{question.file!r} cannot be read: {error.strerror}.") from None
    for remark in remarks:
        sys.stderr.write(f"leadline: {remark}\n")
    status, lines = answer(recording, question)
    text = "\n".join(lines) + "\n"
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return status, text.encode(encoding, "backslashreplace").decode(encoding)


def answer(recording: Recording, question: Question) -> tuple[int, list[str]]:
    """Exit status and lines for what was read."""
    if not recording.known:
        return exit_codes.FATAL, what_is_there(recording, question.host)
    if question.port is None:
        return exit_codes.SUCCESS, host_story(recording, question.file)
    story = port_story(recording, question.port, question.protocol, question.most)
    if story is None:
        asked = f"{question.port}/{question.protocol}" if question.protocol else str(question.port)
        return exit_codes.FATAL, what_is_there(recording, asked)
    return exit_codes.SUCCESS, story


def parse_question(arguments: Sequence[str]) -> Question:
    """The command line behind ``explain``. Raises ``UsageError`` with one sentence."""
    louder = sum(argument.count("v") for argument in arguments if re.fullmatch("-v+", argument))
    rest = [argument for argument in arguments if not re.fullmatch("-v+|--", argument)]
    unknown = [argument for argument in rest if argument.startswith("-") and argument != "-"]
    if unknown:
        raise UsageError(f"leadline explain has no option {unknown[0]} (leadline explain --help shows its own).")
    if len(rest) != 2:
        raise UsageError("leadline explain needs a file and a host: leadline explain FILE.json HOST[:PORT].")
    file, asked = rest
    host, port, protocol = _split(asked)
    return Question(file, host, port, protocol, FEW_BYTES * 4 ** min(louder, 4))


def _split(asked: str) -> tuple[str, int | None, str]:
    try:
        return str(ip_address(asked)), None, ""
    except ValueError:
        found = _PORT.fullmatch(asked)
    if found is None or (found[2] and int(found[2]) > 65535):
        raise UsageError(f"{asked!r} is no HOST[:PORT[/PROTOCOL]].")
    host = found[1]
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host or "/" in host or not host:
        raise UsageError(f"{asked!r} is no HOST[:PORT[/PROTOCOL]]; IPv6 with a port is written [2001:db8::1]:22.")
    return host, int(found[2]) if found[2] else None, found[3] or ""


def _read(stream: BinaryIO, name: str, recording: Recording) -> list[str]:
    """Feed all lines; returns what is to be said of the file. Raises ``UsageError`` for what is no such file."""
    first = stream.readline(_MOST_FIRST)
    _refuse_others(first, name)
    last_good = recording.feed(_text(first))
    whole_line, too_long = first.endswith(b"\n"), 0
    for line, complete in _lines(stream):
        if line:
            last_good, whole_line = recording.feed(_text(line)), complete
        else:
            too_long, last_good, whole_line = too_long + 1, True, complete
    remarks = []
    if not last_good and not whole_line:
        recording.bad -= 1
        remarks.append("the last line is cut short and was left out; the rest is used.")
    if recording.bad:
        remarks.append(f"lines that are damaged and were left out: {recording.bad}.")
    if too_long:
        remarks.append(f"lines that are longer than {MOST_LINE >> 20} MiB and were left out: {too_long}.")
    if not recording.scans:
        remarks.append("the beginning of the file is missing.")
    if not recording.ended:
        remarks.append("the file has no end: the scan is still running, or was killed.")
    return remarks


def _lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Each line and whether it has its end; an empty one for a line that is too long."""
    while line := stream.readline(MOST_LINE):
        complete = line.endswith(b"\n")
        if complete or len(line) < MOST_LINE:
            yield line, complete
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MOST_LINE)
        yield b"", bool(line)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _refuse_others(first: bytes, name: str) -> None:
    fields = parse_fields(_text(first)) or {}
    if not first.strip():
        raise UsageError(f"{name} is empty, or begins with an empty line: it is no file of -oJ.")
    if raw(fields, "event") not in KNOWN:
        raise UsageError(f"{name} is no file of -oJ: its first line is no event of a scan.")
    if raw(fields, "event") == "scan_started" and raw(fields, "schema") != SCHEMA:
        schema = shown(raw(fields, "schema"), 60)
        raise UsageError(f"{name} is written in the vocabulary {schema!r}; this version reads {SCHEMA}.")
