"""Sockets that start from where they are told to, on loopback."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from leadline.errors import LinkError
from leadline.model.plan import PacketShape
from leadline.net.origin import Origin


def opened(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    return socket.socket(family, socket.SOCK_STREAM)


def test_nothing_asked_for() -> None:
    for shape in (None, PacketShape(), PacketShape(source_port=53, bad_checksum=True)):
        origin = Origin(shape)
        assert origin.plain
        with opened() as each:
            assert origin.prepare(each) == 0
            assert each.getsockname()[0] == "0.0.0.0"


def test_source_interface_and_time_to_live() -> None:
    origin = Origin(PacketShape(source=ip_address("127.0.0.9"), interface="lo", ttl=9, ip_options=b"\1\1\1\0"))
    with opened() as each:
        assert origin.prepare(each) == 0
        assert each.getsockname()[0] == "127.0.0.9"
        assert each.getsockopt(socket.IPPROTO_IP, socket.IP_TTL) == 9
        assert each.getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 40) == b"\1\1\1\0"
        assert each.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).startswith(b"lo")
    with opened(socket.AF_INET6) as each:
        assert origin.prepare(each) == 0
        assert each.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) == 9
        assert each.getsockname()[0] == "::"


def test_source_of_ipv6() -> None:
    origin = Origin(PacketShape(source=ip_address("::1")))
    with opened(socket.AF_INET6) as each:
        assert origin.prepare(each) == 0
        assert each.getsockname()[0] == "::1"


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (PacketShape(source=ip_address("192.0.2.1")), "from 192.0.2.1"),
        (PacketShape(interface="nosuchdevice"), "as they are asked for"),
    ],
)
def test_what_the_kernel_refuses(shape: PacketShape, words: str) -> None:
    with pytest.raises(LinkError, match=f"connections cannot be made {words}: "):
        Origin(shape)
