"""An FTP server that connects wherever it is told to: ``ftp_relay.py ADDRESS``. RFC 959, as much as a bounce needs.

To the ports of ``SCRIPTED`` it connects not; it answers as the table says. What it is told is printed, each line behind
the port of the client that said it.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

# Replies to LIST by port, as servers of many makers give them.
SCRIPTED = {
    3226: (b"150 a\r\n", b"226 b\r\n"),
    3250: (b"125 a\r\n", b"250 b\r\n"),
    3200: (b"226 b\r\n",),
    3426: (b"150 a\r\n", b"426 b\r\n"),
    3425: (b"150 a\r\n", b"425 b\r\n"),
    3451: (b"150 a\r\n", b"451 b\r\n"),
    3450: (b"450 b\r\n",),
    3550: (b"150 a\r\n", b"550 b\r\n"),
    3553: (b"553 b\r\n",),
    3999: (),
}
# Seconds until a connection that nobody answers is given up.
PATIENCE = 1.0


def _serve(client: socket.socket) -> None:
    target = ("", 0)
    client.sendall(b"220 ready\r\n")
    with client, client.makefile("rb", buffering=0) as lines, contextlib.suppress(OSError):
        for line in lines:
            print(client.getpeername()[1], line.decode("latin-1").strip(), flush=True)
            word = line[:4].strip().upper()
            if word == b"PORT":
                numbers = [int(one) for one in line[5:].split(b",")]
                target = ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]
                client.sendall(b"200 PORT command successful\r\n")
            elif word == b"LIST":
                for reply in _transfer(target):
                    client.sendall(reply)
                    time.sleep(0.05)
            else:
                client.sendall({b"USER": b"331 password\r\n", b"PASS": b"230 in\r\n"}.get(word, b"226 done\r\n"))


def _transfer(target: tuple[str, int]) -> tuple[bytes, ...]:
    if target[1] in SCRIPTED:
        return SCRIPTED[target[1]]
    try:
        socket.create_connection(target, timeout=PATIENCE).close()
    except OSError:
        return (b"425 Can't open data connection\r\n",)
    # One after the other: Nmap does not look behind the first line of what it reads.
    return b"150 Opening\r\n", b"226 Transfer complete\r\n"


def main() -> None:
    """Serve for ever; ``ready`` on standard output when it listens."""
    with socket.create_server((sys.argv[1], 21)) as server:
        print("ready", flush=True)
        while True:
            client, _ = server.accept()
            threading.Thread(target=_serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
