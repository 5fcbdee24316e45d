"""The ports that three transports have in the same place."""

from __future__ import annotations

import pytest

from leadline.errors import WireError
from leadline.wire.ports_view import PortsView


def test_ports() -> None:
    view = PortsView(bytes([0x12, 0x34, 0, 80, 9]), "a made-up", 4)
    assert (view.source_port, view.destination_port) == (0x1234, 80)


def test_what_is_too_short() -> None:
    with pytest.raises(WireError, match=r"^a made-up header of 3 bytes$"):
        PortsView(bytes(3), "a made-up", 4)
