"""Where connections start from: a source address, an interface, and IP header fields of one's own choice."""

from __future__ import annotations

import errno
import os
import socket

from leadline.errors import LinkError
from leadline.model.plan import PacketShape

IP_BIND_ADDRESS_NO_PORT = 24
"""Of ``linux/in.h``, for both families."""


class Origin:
    """What a ``PacketShape`` asks of sockets (``-S``, ``-e``, ``--ttl``, ``--ip-options``); nothing by default.

    Making it tries it out once for each family that it is about: raises ``LinkError`` for what the kernel refuses.
    """

    def __init__(self, shape: PacketShape | None = None) -> None:
        self._shape = shape or PacketShape()
        self.plain = not self._shape.shapes_connections
        if self.plain:
            return
        source = self._shape.source
        family = socket.AF_INET6 if source is not None and source.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            error = self.prepare(trial)
        if error:
            wanted = f"from {source}" if error == errno.EADDRNOTAVAIL else "as they are asked for"
            raise LinkError(f"connections cannot be made {wanted}: {os.strerror(error)}")

    def prepare(self, opened: socket.socket) -> int:
        """Make a socket that is not connected yet start from here; 0, or the errno."""
        if self.plain:
            return 0
        shape, is_v4 = self._shape, opened.family == socket.AF_INET
        try:
            if shape.interface:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, shape.interface.encode())
            if shape.ttl is not None and is_v4:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, shape.ttl)
            elif shape.ttl is not None:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, shape.ttl)
            if shape.ip_options and is_v4:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, shape.ip_options)
            if shape.source is not None and shape.source.version == (4 if is_v4 else 6):
                # The port is chosen for each connection anew, as without a source.
                opened.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
                opened.bind((str(shape.source), 0))
        except OSError as error:
            return error.errno or errno.EINVAL
        return 0
