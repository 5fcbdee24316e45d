"""The kernel's neighbour entry of one address."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from leadline.link.base import Interface
from leadline.link.neighbors import known_mac


class Message(dict[str, object]):
    def get_attr(self, name: str) -> object:
        return self["attrs"][name] if isinstance(self["attrs"], dict) else None


class Netlink:
    answer: Callable[[], list[Message]]

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *ended: object) -> None: ...

    def neigh(self, command: str, dst: str, ifindex: int) -> list[Message]:
        assert (command, dst, ifindex) == ("get", "10.0.0.254", 2)
        return type(self).answer()


def ask(monkeypatch: pytest.MonkeyPatch, ethernet: Interface, answer: Callable[[], list[Message]]) -> bytes | None:
    monkeypatch.setattr(Netlink, "answer", staticmethod(answer), raising=False)
    monkeypatch.setattr("pyroute2.IPRoute", Netlink)
    return known_mac(ethernet, ip_address("10.0.0.254"))


@pytest.mark.parametrize(
    ("state", "mac", "known"),
    [
        (0x02, "02:00:00:00:00:09", b"\2\0\0\0\0\x09"),
        (0x80, "02:00:00:00:00:09", b"\2\0\0\0\0\x09"),
        (0x20, "02:00:00:00:00:09", None),  # failed
        (0x02, "00:00:00:00:00:00", None),
        (0x02, "02:00", None),
        (0x02, "zz:00:00:00:00:09", None),
        (0x02, None, None),
    ],
)
def test_states(
    monkeypatch: pytest.MonkeyPatch, ethernet: Interface, state: int, mac: str | None, known: bytes | None
) -> None:
    found = Message(state=state, attrs={"NDA_LLADDR": mac})
    assert ask(monkeypatch, ethernet, lambda: [found]) == known


@pytest.mark.parametrize("error", [NetlinkError(2, "no entry"), PermissionError(1, "no")])
def test_errors_mean_not_known(monkeypatch: pytest.MonkeyPatch, ethernet: Interface, error: Exception) -> None:
    def fail() -> list[Message]:
        raise error

    assert ask(monkeypatch, ethernet, fail) is None


def test_no_entry_at_all(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    assert ask(monkeypatch, ethernet, list) is None
