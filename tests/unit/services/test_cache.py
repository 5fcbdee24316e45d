from __future__ import annotations

import hashlib
import os
import pwd
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.services import cache
from leadline.services.cache import MAGIC, MOST_FILES, VERSION, decode, default_folder, encode, load_index, store_index
from leadline.services.index import Index

DIGEST = hashlib.sha256(b"rules").hexdigest()
RULES = 5


def index(digest: str = DIGEST) -> Index:
    return Index((b"abc", b"\0\xff", b"longer one"), ((0, 2), (1,), (2, 4)), (3,), digest)


def plain(found: Index | None) -> tuple[list[bytes], list[list[int]], list[int], str] | None:
    return found and (list(found.literals), [list(row) for row in found.rules], list(found.always), found.digest)


def content(made: Index | None = None) -> bytes:
    encoded = encode(made or index())
    assert encoded is not None
    return encoded


def sealed(body: bytes, version: int = VERSION, digest: str = DIGEST) -> bytes:
    """A file whose check sum is right."""
    return MAGIC + struct.pack("<H32s32s", version, bytes.fromhex(digest), hashlib.sha256(body).digest()) + body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "cache" / "leadline"
    store_index(folder, index())
    return folder


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_is_kept_is_what_is_read(folder: Path) -> None:
    assert plain(load_index(folder, DIGEST, RULES)) == plain(index())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert only_file(folder).stat().st_mode & 0o777 == 0o600
    assert only_file(folder).name == f"rules-{VERSION}-{DIGEST}.index"
    found = load_index(folder, DIGEST, RULES)
    assert found is not None
    assert found.candidates(b"ABC") == [0, 2, 3]


def test_an_index_of_nothing() -> None:
    empty = Index((), (), (), DIGEST)
    assert plain(decode(content(empty), DIGEST, 0)) == plain(empty)
    assert decode(content(empty), DIGEST, 1) is None


def test_other_rules_have_another_file(folder: Path) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    assert load_index(folder, other, RULES) is None
    only_file(folder).rename(folder / f"rules-{VERSION}-{other}.index")
    assert load_index(folder, other, RULES) is None


@pytest.mark.parametrize("rules", [0, RULES - 1, RULES + 1])
def test_it_must_cover_every_rule_and_no_others(folder: Path, rules: int) -> None:
    assert load_index(folder, DIGEST, rules) is None


def test_a_damaged_file_does_not_count() -> None:
    whole = content()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        assert decode(bytes(damaged), DIGEST, RULES) is None, place
        assert decode(whole[:place], DIGEST, RULES) is None
    assert decode(whole + b"x", DIGEST, RULES) is None


def test_a_forged_file_whose_bounds_are_wrong_does_not_count() -> None:
    body = content()[len(MAGIC) + 66 :]
    assert plain(decode(sealed(body), DIGEST, RULES)) == plain(index())
    assert decode(sealed(body, version=VERSION + 1), DIGEST, RULES) is None
    assert decode(sealed(body[:-1]), DIGEST, RULES) is None
    assert decode(sealed(body + b"x"), DIGEST, RULES) is None
    for place in range(12):
        for value in (0, 1, 2, 4, 6, 255):
            forged = bytearray(body)
            if forged[place] != value:
                forged[place] = value
                assert decode(sealed(bytes(forged)), DIGEST, RULES) is None
    short = Index((b"a",), (range(5),), (), DIGEST)
    assert decode(content(short), DIGEST, RULES) is None


@given(st.binary(max_size=80))
def test_any_body_is_an_index_or_none(body: bytes) -> None:
    found = decode(sealed(body), DIGEST, 3)
    assert found is None or {*found.always, *(order for row in found.rules for order in row)} == {0, 1, 2}


def test_numbers_are_little_endian_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "byteorder", "big")
    swapped = content()
    assert plain(decode(swapped, DIGEST, RULES)) == plain(index())
    monkeypatch.setattr(sys, "byteorder", "little")
    assert decode(swapped, DIGEST, RULES) is None


def test_what_is_too_large_for_the_form_is_not_kept(tmp_path: Path) -> None:
    large = Index((b"a" * 70_000,), ((0,),), (), DIGEST)
    assert encode(large) is None
    store_index(tmp_path / "cache", large)
    assert not (tmp_path / "cache").exists()


def test_links_are_refused(folder: Path, tmp_path: Path) -> None:
    path = only_file(folder)
    real = path.rename(tmp_path / "real")
    path.symlink_to(real)
    assert load_index(folder, DIGEST, RULES) is None
    store_index(folder, index())
    assert not path.is_symlink()
    assert load_index(folder, DIGEST, RULES) is not None
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    assert load_index(linked, DIGEST, RULES) is None
    path.unlink()
    store_index(linked, index())
    assert not path.exists()


def test_what_others_can_write_is_refused(folder: Path) -> None:
    path = only_file(folder)
    path.chmod(0o620)
    assert load_index(folder, DIGEST, RULES) is None
    path.chmod(0o600)
    folder.chmod(0o777)
    assert load_index(folder, DIGEST, RULES) is None
    path.unlink()
    store_index(folder, index())
    assert not path.exists()


def test_what_belongs_to_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert load_index(folder, DIGEST, RULES) is None


def test_what_is_no_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = only_file(folder)
    monkeypatch.setattr(cache, "LARGEST", 10)
    assert load_index(folder, DIGEST, RULES) is None
    monkeypatch.undo()
    path.unlink()
    path.mkdir()
    assert load_index(folder, DIGEST, RULES) is None
    path.rmdir()
    os.mkfifo(path)
    assert load_index(folder, DIGEST, RULES) is None


def test_an_error_while_reading_is_no_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError

    monkeypatch.setattr(os, "read", fail)
    assert load_index(folder, DIGEST, RULES) is None


def test_what_cannot_be_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    store_index(tmp_path / "file" / "leadline", index())
    store_index(Path("/proc/nothing/leadline"), index())

    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "replace", full)
    store_index(tmp_path / "leadline", index())
    assert list((tmp_path / "leadline").iterdir()) == []


def test_the_files_written_last_are_kept(folder: Path) -> None:
    for number in range(MOST_FILES + 2):
        digest = hashlib.sha256(b"%d" % number).hexdigest()
        store_index(folder, index(digest))
        os.utime(folder / f"rules-{VERSION}-{digest}.index", (1_000_000_000 + number, 1_000_000_000 + number))
    stale, fresh = folder / ".rules-1-x.index.77", folder / ".rules-1-x.index.78"
    stale.touch()
    os.utime(stale, (1_000_000_000, 1_000_000_000))
    fresh.touch()
    digest = hashlib.sha256(b"last").hexdigest()
    store_index(folder, index(digest))
    assert sum(path.suffix == ".index" for path in folder.iterdir()) == MOST_FILES
    assert load_index(folder, hashlib.sha256(b"0").hexdigest(), RULES) is None
    assert load_index(folder, digest, RULES) is not None
    assert fresh.exists()
    assert not stale.exists()


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".cache" / "leadline"
    named = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}
    assert default_folder(named) == tmp_path / "xdg" / "leadline"
    assert default_folder({"XDG_CACHE_HOME": "relative", "HOME": str(tmp_path)}) == tmp_path / ".cache" / "leadline"
    assert default_folder({}) == home
    monkeypatch.setattr(os, "geteuid", lambda: 987_654)
    assert default_folder(named) is None


def test_another_users_home_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under sudo, which may leave HOME as it was."""
    own = tmp_path / "own"
    own.mkdir()
    entry = pwd.struct_passwd(("x", "x", 1, 1, "", str(own), ""))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: entry)
    monkeypatch.setattr(os, "geteuid", lambda: own.stat().st_uid)
    other = Path("/proc/1/nothing")
    monkeypatch.setattr(Path, "exists", lambda path: True if path == other / ".cache" else os.path.exists(path))
    real = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path == other / ".cache":
            values = list(real(own))
            values[4] = 987_654
            return os.stat_result(values)
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    assert default_folder({"HOME": str(other)}) == own / ".cache" / "leadline"


def test_a_home_that_may_not_be_looked_at_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path, **_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", forbidden)
    assert default_folder({"HOME": str(tmp_path)}) is None
