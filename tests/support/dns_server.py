"""A small name server for tests, over UDP: forward and reverse names of a fixed zone, NXDOMAIN for all else.

In a test: ``with DnsServer("127.0.0.1", {"www.example.test": ["10.0.0.5"]}) as server: ... server.port``.
As a program (inside a namespace): ``dns_server.py ADDRESS PORT NAME=ADDRESS,ADDRESS ...``; prints ``ready``.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from ipaddress import ip_address
from types import TracebackType

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset


class DnsServer:
    """Serves in a thread between ``start`` and ``close``. ``queries`` keeps ``(name, type)`` of what was asked.

    ``silent``: how many first queries get no answer at all (to see a client try again).
    """

    def __init__(self, address: str, zone: dict[str, list[str]], port: int = 0, silent: int = 0) -> None:
        self.answers: dict[tuple[str, str], list[str]] = {}
        self.names: set[str] = set()
        for name, addresses in zone.items():
            absolute = name.rstrip(".") + "."
            self.names.add(absolute)
            for text in addresses:
                kind = "A" if ip_address(text).version == 4 else "AAAA"
                self.answers.setdefault((absolute, kind), []).append(text)
                reverse = dns.reversename.from_address(text).to_text()
                self.names.add(reverse)
                self.answers.setdefault((reverse, "PTR"), [absolute])
        self.queries: list[tuple[str, str]] = []
        self.silent = silent
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((address, port))
        self.socket.settimeout(0.2)
        self.address: str = address
        self.port: int = self.socket.getsockname()[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.serve, daemon=True)

    def reply(self, wire: bytes) -> bytes | None:
        """The answer to one query; ``None`` for what is no query."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1 or query.flags & dns.flags.QR:
            return None
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.queries.append((name, kind))
        if len(self.queries) <= self.silent:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        found = self.answers.get((name, kind), [])
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, dns.rdataclass.IN, kind, *found))
        elif name not in self.names:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer.to_wire()

    def serve(self) -> None:
        """Answer until closed."""
        while not self._stopping.is_set():
            try:
                wire, peer = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            except OSError:
                return
            answer = self.reply(wire)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self.socket.sendto(answer, peer)

    def __enter__(self) -> DnsServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self.socket.close()


def main(arguments: list[str]) -> None:
    """Serve the zone of the command line until killed."""
    zone = {}
    for entry in arguments[2:]:
        name, _, addresses = entry.partition("=")
        zone[name] = addresses.split(",")
    server = DnsServer(arguments[0], zone, int(arguments[1]))
    print("ready", flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
