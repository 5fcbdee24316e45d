"""Netlink messages taken apart: what the kernel says, what a broken buffer holds, what an error becomes."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.link import netlink
from leadline.link.netlink import GET_LINK, GET_NEIGHBOR, GET_ROUTE, attribute, attributes_of, dump, get, split

MULTI = 2


def packet(kind: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload + bytes(-len(payload) % 4)


@given(st.dictionaries(st.integers(0, 0x3FFF), st.binary(max_size=40), max_size=10), st.binary(max_size=3))
def test_attributes_survive_the_way_there_and_back(given_: dict[int, bytes], rest: bytes) -> None:
    data = b"".join(attribute(kind, value) for kind, value in given_.items())
    assert attributes_of(data + rest) == given_


def test_flags_of_an_attribute_are_not_its_number() -> None:
    assert attributes_of(attribute(0x8000 | 9, b"nest")) == {9: b"nest"}


@given(st.binary(max_size=200))
def test_any_bytes_end(data: bytes) -> None:
    attributes_of(data)
    assert sum(16 + len(payload) for _, _, payload in split(data)) <= len(data)


class Scripted:
    """A netlink socket whose datagrams come from a list."""

    def __init__(self, datagrams: list[bytes]) -> None:
        self.datagrams = datagrams
        self.sent = b""

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *ended: object) -> None: ...

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, data: bytes) -> None:
        self.sent = data

    def recv(self, size: int) -> bytes:
        if not self.datagrams:
            raise TimeoutError("nothing")
        return self.datagrams.pop(0)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def play(*datagrams: bytes) -> Scripted:
        scripted = Scripted(list(datagrams))
        monkeypatch.setattr(netlink.socket, "socket", lambda *arguments: scripted)
        return scripted

    return play


def test_a_dump_ends_where_the_kernel_says(script: Callable[..., Scripted]) -> None:
    first = packet(24, bytes(range(12)) + attribute(1, b"abc"), MULTI) + packet(99, b"noise", MULTI)
    scripted = script(first, packet(24, bytes(12), MULTI) + packet(3, bytes(4), MULTI))
    found = dump(GET_ROUTE, socket.AF_INET6)
    assert [message.header for message in found] == [bytes(range(12)), bytes(12)]
    assert found[0].attributes == {1: b"abc"}
    assert scripted.sent == packet(26, b"\x0a" + bytes(11), 0x301)


def test_one_object_needs_no_end(script: Callable[..., Scripted]) -> None:
    scripted = script(packet(28, bytes(12)))
    found = get(GET_NEIGHBOR, b"question")
    assert found is not None
    assert found.header == bytes(12)
    assert scripted.sent == packet(30, b"question", 1)
    script(packet(2, bytes(4)))
    assert get(GET_NEIGHBOR, b"question") is None


def test_errors_are_raised(script: Callable[..., Scripted]) -> None:
    script(packet(2, struct.pack("=i", -errno.ENOENT)))
    with pytest.raises(FileNotFoundError):
        get(GET_NEIGHBOR, b"question")
    script()
    with pytest.raises(TimeoutError):
        dump(GET_LINK, 0)


def test_the_real_kernel_has_loopback() -> None:
    names = [message.attributes.get(3) for message in dump(GET_LINK, socket.AF_UNSPEC)]
    assert b"lo\0" in names
