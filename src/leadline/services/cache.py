"""Indexes kept on the user's disk, one file for each set of rules: reading one takes a tenth of the time of making it.

What is read back is data of a fixed form, never code. A file counts only when it and its folder are this user's own and
nobody else can write them, when it is no link, and when its check sum, its bounds and the rules it covers are right;
else the index is made anew. Writing may fail, silently: a read-only home must not stop a scan.

::

    file = magic version(2) rules' SHA-256(32) SHA-256 of the body(32) body            ; all numbers little-endian
    body = literals(4) entries(4) always(4) lengths(2 each) counts(2 each) orders(4 each) always' orders(4 each) texts
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from pathlib import Path

from leadline.services.index import Index
from leadline.services.literals import SHORTEST

MAGIC = b"leadline index\n"
VERSION = 1
"""Goes up whenever the form of the file or the choice of literals changes."""
LARGEST = 64 << 20
MOST_FILES = 8
"""Of the rule files used, so many last ones are remembered."""
DRAFT_SECONDS = 3600

_HEAD = struct.Struct("<H32s32s")
_COUNTS = struct.Struct("<III")
_BODY = len(MAGIC) + _HEAD.size
_MOST = 0xFFFF


def default_folder(environment: Mapping[str, str]) -> Path | None:
    """``$XDG_CACHE_HOME/leadline``, else ``.cache/leadline`` of this user's home, else (no home) ``None``.

    Places that belong to another user, as the caller's home does under ``sudo``, are passed over.
    """
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        home = ""
    places = [environment.get("XDG_CACHE_HOME", "")]
    places += [str(Path(place) / ".cache") for place in (environment.get("HOME", ""), home) if place]
    for place in map(Path, filter(os.path.isabs, places)):
        # A place that may not even be looked at is somebody else's.
        with suppress(OSError):
            existing = next((parent for parent in (place, *place.parents) if parent.exists()), None)
            if existing is not None and existing.stat().st_uid == os.geteuid():
                return place / "leadline"
    return None


def load_index(folder: Path, digest: str, rules: int) -> Index | None:
    """The kept index of so many rules with this digest; ``None`` when there is none or it is not sound."""
    if not _is_private(folder):
        return None
    content = _read(folder / _name(digest))
    return None if content is None else decode(content, digest, rules)


def store_index(folder: Path, index: Index) -> None:
    """Keep an index; nothing happens when that is not possible."""
    content = encode(index)
    if content is None:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(folder):
            _write(folder, _name(index.digest), content)
            _forget_old(folder)


def encode(index: Index) -> bytes | None:
    """The file's content; ``None`` for an index with more of something than the form has room for."""
    lengths = [len(literal) for literal in index.literals]
    counts = [len(orders) for orders in index.rules]
    if max((*lengths, *counts), default=0) > _MOST:
        return None
    entries = [order for orders in index.rules for order in orders]
    body = b"".join(
        (
            _COUNTS.pack(len(lengths), len(entries), len(index.always)),
            _packed("H", lengths),
            _packed("H", counts),
            _packed("I", entries),
            _packed("I", index.always),
            *index.literals,
        )
    )
    return MAGIC + _HEAD.pack(VERSION, bytes.fromhex(index.digest), hashlib.sha256(body).digest()) + body


def decode(content: bytes, digest: str, rules: int) -> Index | None:
    """Never raises, whatever the content is."""
    head = MAGIC + _HEAD.pack(VERSION, bytes.fromhex(digest), hashlib.sha256(content[_BODY:]).digest())
    if len(content) < _BODY + _COUNTS.size or content[:_BODY] != head:
        return None
    literals, entries, always = _COUNTS.unpack_from(content, _BODY)
    place = _BODY + _COUNTS.size
    if len(content) < place + 4 * (literals + entries + always):  # two columns of two bytes, two of four
        return None
    columns = []
    for kind, count in (("H", literals), ("H", literals), ("I", entries), ("I", always)):
        column = _unpacked(kind, content[place : place + count * struct.calcsize(kind)])
        place += count * column.itemsize
        columns.append(column)
    lengths, counts, orders, free = columns
    if sum(lengths) != len(content) - place or sum(counts) != entries or min(lengths, default=SHORTEST) < SHORTEST:
        return None
    if {*orders, *free} != set(range(rules)):
        return None
    ends = pairwise(accumulate(lengths, initial=place))
    rows = pairwise(accumulate(counts, initial=0))
    return Index([content[start:end] for start, end in ends], [orders[start:end] for start, end in rows], free, digest)


def _packed(kind: str, numbers: Sequence[int]) -> bytes:
    column = array(kind, numbers)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _unpacked(kind: str, content: bytes) -> array[int]:
    column = array(kind, content)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _name(digest: str) -> str:
    return f"rules-{VERSION}-{digest}.index"


def _is_private(folder: Path) -> bool:
    """Whether a folder is no link, this user's, and writable by nobody else."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and _is_own(status)


def _is_own(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not _is_own(status) or status.st_size > LARGEST:
            return None
        return os.read(descriptor, status.st_size)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _write(folder: Path, name: str, content: bytes) -> None:
    """All or nothing: whoever reads meanwhile sees the old file, or none."""
    draft = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        draft.replace(folder / name)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _forget_old(folder: Path) -> None:
    """Removes all but the files written last, and drafts that a killed process left long ago."""
    files = sorted(folder.glob("rules-*.index"), key=lambda path: path.lstat().st_mtime, reverse=True)
    for path in files[MOST_FILES:]:
        path.unlink(missing_ok=True)
    newest = files[0].lstat().st_mtime if files else 0.0
    for path in folder.glob(".rules-*.index.*"):
        if path.lstat().st_mtime < newest - DRAFT_SECONDS:
            path.unlink(missing_ok=True)
