"""What ICMP and ICMPv6 messages share: fields, words, lengths."""

from __future__ import annotations

import pytest

from leadline.errors import WireError
from leadline.wire.icmp_message import Message, MessageView, name_of


def test_fields() -> None:
    view = MessageView(bytes([3, 1, 9, 9, 0, 1, 0, 2]) + b"rest")
    assert (view.type, view.code, view.word, view.payload) == (3, 1, 0x1_0002, b"rest")
    message = Message(view.type, view.code, view.word, view.payload)
    assert (message.identifier, message.sequence) == (1, 2)
    assert bytes(message.without_checksum()) == bytes([3, 1, 0, 0, 0, 1, 0, 2]) + b"rest"


def test_what_is_too_short() -> None:
    with pytest.raises(WireError, match="7 bytes"):
        MessageView(bytes(7))


def test_names() -> None:
    types, codes = {3: "unreachable"}, {(3, 1): "host unreachable"}
    assert [name_of(*one, types, codes) for one in ((3, 1), (3, 9), (7, 0))] == [
        "host unreachable", "unreachable", "type 7",
    ]  # fmt: skip
