"""A resolver that knows a few names, for the tests of targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address

from leadline.model.ip import Address


class TwinResolver:
    """``asked`` keeps the names of each call."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.names = {name: tuple(ip_address(text) for text in texts) for name, texts in names.items()}
        self.asked: list[list[str]] = []

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        self.asked.append(list(names))
        return {name: self.names[name] for name in names if name in self.names}

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        raise NotImplementedError
