"""A firewall that answers for others without looking: every TCP segment to one port is refused with a RST, whatever its
checksum says. Run inside a namespace as ``careless.py DEVICE PORT``; prints ``ready``, then goes on until it is killed.
"""

from __future__ import annotations

import socket
import sys

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

ALL_IPV4 = 0x0800


def refusal(frame: bytes, port: int) -> bytes:
    """The answer to a frame; empty when it is no segment to that port."""
    packet = Ether(frame)
    if TCP not in packet or packet[TCP].dport != port:
        return b""
    asked = packet[TCP]
    network = IP(src=packet[IP].dst, dst=packet[IP].src, ttl=60)
    answer = TCP(sport=asked.dport, dport=asked.sport, flags="RA", seq=0, ack=(asked.seq + 1) % 2**32)
    return bytes(Ether(src=packet.dst, dst=packet.src) / network / answer)


def main() -> None:
    device, port = sys.argv[1], int(sys.argv[2])
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_IPV4)) as wire:
        wire.bind((device, ALL_IPV4))
        print("ready", flush=True)
        while True:
            answer = refusal(wire.recv(65535), port)
            if answer:
                wire.send(answer)


if __name__ == "__main__":
    main()
