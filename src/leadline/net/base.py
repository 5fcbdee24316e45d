"""What the pipeline needs from name resolution, real (``net.resolve``) or simulated (``sim``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from leadline.model.ip import Address


class Resolver(Protocol):
    """Looks up many names or addresses at once. Never raises because of what a name server does or says.

    ``stop`` is asked now and then; once it says yes the answers so far are returned.
    """

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        """The addresses of each name, IPv4 before IPv6, of the asked families (4, 6). No key: it does not resolve."""
        ...

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        """The name of each address that has one: printable, at most 255 characters, without the final dot."""
        ...
