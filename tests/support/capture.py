"""Writes the frames that one interface sends and receives into a file: run inside a namespace, independent of what it
watches. Each frame is its length in two bytes, then itself. Prints ``ready``, then goes on until it is killed.
"""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

ALL_PROTOCOLS = 3


def read_frames(path: Path) -> list[bytes]:
    """The frames of such a file, in order; one that is not complete yet is left out."""
    data, at, frames = path.read_bytes(), 0, []
    while at + 2 <= len(data):
        (length,) = struct.unpack_from("!H", data, at)
        if at + 2 + length <= len(data):
            frames.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return frames


def main() -> None:
    interface, path = sys.argv[1:]
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS)) as watcher,
        Path(path).open("wb", buffering=0) as out,
    ):
        watcher.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        watcher.bind((interface, ALL_PROTOCOLS))
        print("ready", flush=True)
        while True:
            frame = watcher.recv(65535)
            out.write(struct.pack("!H", len(frame)) + frame)


if __name__ == "__main__":
    main()
