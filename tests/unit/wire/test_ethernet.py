import pytest

from leadline.errors import WireError
from leadline.wire.ethernet import Ethernet, mac_text

FRAME = bytes.fromhex("ffffffffffff 0200000000aa 0806") + b"body"


def test_both_directions() -> None:
    value = Ethernet(b"\xff" * 6, b"\x02\x00\x00\x00\x00\xaa", 0x0806, b"body")
    assert Ethernet.parse(FRAME) == value
    assert value.emit() == FRAME


def test_a_short_header_is_refused() -> None:
    with pytest.raises(WireError, match="13 bytes"):
        Ethernet.parse(FRAME[:13])


def test_mac_text() -> None:
    assert mac_text(b"\x02\x00\x00\x00\x00\xaa") == "02:00:00:00:00:aa"
