"""The kernel's neighbour entry of one address."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest

from leadline.link import netlink
from leadline.link.base import Interface
from leadline.link.neighbors import known_mac
from leadline.link.netlink import Message, attribute

MAC = b"\2\0\0\0\0\x09"


def answer(monkeypatch: pytest.MonkeyPatch, found: Message | Exception | None) -> list[bytes]:
    asked: list[bytes] = []

    def get(kind: int, body: bytes) -> Message | None:
        assert kind == netlink.GET_NEIGHBOR
        asked.append(body)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(netlink, "get", get)
    return asked


@pytest.mark.parametrize(
    ("state", "mac", "known"),
    [
        (0x02, MAC, MAC),
        (0x80, MAC, MAC),
        (0x20, MAC, None),  # failed
        (0x02, bytes(6), None),
        (0x02, MAC[:4], None),
        (0x02, b"", None),
    ],
)
def test_states(
    monkeypatch: pytest.MonkeyPatch, ethernet: Interface, state: int, mac: bytes, known: bytes | None
) -> None:
    header = struct.pack("=BBHiHBB", 2, 0, 0, 2, state, 0, 1)
    asked = answer(monkeypatch, Message(header, {2: mac}))
    assert known_mac(ethernet, ip_address("10.0.0.254")) == known
    assert asked == [struct.pack("=BBHiHBB", 2, 0, 0, 2, 0, 0, 0) + attribute(1, b"\x0a\0\0\xfe")]


@pytest.mark.parametrize("found", [OSError(2, "no entry"), PermissionError(1, "no"), None])
def test_not_known(monkeypatch: pytest.MonkeyPatch, ethernet: Interface, found: Exception | None) -> None:
    asked = answer(monkeypatch, found)
    assert known_mac(ethernet, ip_address("fe80::1")) is None
    assert asked[0][0] == 10  # AF_INET6
