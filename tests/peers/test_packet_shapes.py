"""The packets of both scanners, field by field: each technique's, and each option's that shapes packets.

Fields that are drawn at random are compared by what they can be, everything else by value. Where the two differ, the
reason stands with the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from leadline.plan.technique_choice import OPTION_OF
from tests.support.crc import crc32c
from tests.support.netns import Lab, on_link_lab
from tests.support.scan import LEADLINE, NMAP, scan
from tests.support.watch import Datagram, Watch, datagrams, watch

ALIAS = {4: "10.77.0.8", 6: "fd77::8"}
HASTE = ("-n", "--max-retries", "0", "--initial-rtt-timeout", "100ms", "--max-rtt-timeout", "100ms")
PORTS = ("-Pn", "-p", "7001,7002")
PINGS = ("-sn", "--disable-arp-ping", "-PE", "-PS80", "-PA80", "-PU40125")
PINGS_V4 = (*PINGS, "-PP", "-PM", "-PO4,99")

TECHNIQUES = ["-sS", "-sA", "-sW", "-sM", "-sN", "-sF", "-sX", "-sS --scanflags SYNURG"]
TECHNIQUES += [option for option in ("-sU", "-sY", "-sZ") if option in OPTION_OF.values()]
SHAPES = [
    "-f", "-ff", "--mtu 16 --data-length 21",
    "-D 10.77.0.9,ME,10.77.0.10", "-D 10.77.0.9,RND,RND:2,ME", "-D 10.77.0.9,ME -f --ip-options R",
    "-S 10.77.0.8 -e eth0", "-e eth0", "-g 53",
    "--data 0x00DEADbeef", "--data-string hello", "--data-length 7",
    "--ip-options T", "--ip-options U", r"--ip-options \x01*3\68\3\x00*3",
    "--ip-options=L:10.77.0.11:10.77.0.12", "--ip-options=S:10.77.0.2",
    "--ttl 3", "--spoof-mac 0", "--spoof-mac 02:11:22", "--badsum", "--badsum -g 0 --data 00",
    "--send-eth", "--send-ip",
]  # fmt: skip
PING_SHAPES = ["-f", "-D 10.77.0.9,ME --data-length 5", "--badsum", "--ttl 9 -g 53 --ip-options T", "--send-ip"]
OTHERS = [
    "-sA -f", "-sN -D 10.77.0.9,ME --data-string x", "-sU --data-string x --badsum", "-sU -D 10.77.0.9,ME -g 53",
    "-sY -f --data-length 5", "-sY --badsum -g 53 -D ME,10.77.0.9",
]  # fmt: skip
V6_SHAPES = ["-D fd77::9,ME -g 53", "--data 0001 -S fd77::8 -e eth0", "--spoof-mac 02:11:22:33:44:55"]
CONNECT_SHAPES = ["-S 10.77.0.8 -e eth0 --ttl 9 --ip-options R"]

# What is not compared, and why: ARP, neighbour discovery and what kernels say by themselves (RSTs, multicast reports).
# Of the scanners' own questions about next hops Leadline's stay right with --badsum and --ttl, which shape Nmap's over
# IPv6, so that nobody answers them.

SCANNER_MAC, TARGET_MAC = "02:00:00:00:77:01", "02:00:00:00:77:02"


@dataclass(frozen=True, slots=True)
class Bench:
    """One lab for each scanner, alike to the hardware addresses, so that both scan at the same time."""

    labs: tuple[Lab, Lab]
    watches: tuple[Watch, Watch]
    threads: ThreadPoolExecutor


@contextmanager
def watched_lab(path: Path) -> Iterator[tuple[Lab, Watch]]:
    """Ports 7001 and 7002 answer that they are closed, pings are dropped: no answer makes a kernel add packets."""
    with on_link_lab() as lab:
        lab.scanner.ip(f"link set eth0 address {SCANNER_MAC}")
        lab.target.ip(f"link set eth0 address {TARGET_MAC}")
        for address, length in ((ALIAS[4], 32), (ALIAS[6], 128)):
            lab.scanner.address("lo", f"{address}/{length}")
        lab.target.firewall(
            "input", "tcp dport {80} drop", "udp dport 40125 drop", "icmp type {8, 13, 17} drop",
            "icmpv6 type 128 drop", "ip protocol {4, 99, 132} drop", "ip6 nexthdr 132 drop",
        )  # fmt: skip
        with watch(lab.target, "eth0", path) as seen:
            yield lab, seen


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("frames")
    with (
        watched_lab(folder / "peer") as (theirs, their_watch),
        watched_lab(folder / "ours") as (ours, our_watch),
        ThreadPoolExecutor(2) as threads,
    ):
        yield Bench((theirs, ours), (their_watch, our_watch), threads)


def probes(bench: Bench, arguments: list[str]) -> tuple[list[Datagram], list[Datagram]]:
    """What Nmap sends and what Leadline sends, without what kernels say by themselves."""

    def run(which: int) -> list[Datagram]:
        seen = bench.watches[which]
        seen.frames()
        scan(bench.labs[which].scanner, (NMAP, LEADLINE)[which], *HASTE, *arguments)
        return [one for one in datagrams(seen.frames(), f"-{TARGET_MAC}") if not of_kernel(one)]

    theirs, ours = bench.threads.map(run, (0, 1))
    return theirs, ours


def of_kernel(one: Datagram) -> bool:
    """RSTs to what nobody waits for, and the talk of IPv6 hosts."""
    if one.protocol == 6:
        return one.payload[13] == 4
    return one.version == 6 and (one.protocol in (0, 58) and one.port != 128)


def words(shape: str) -> list[str]:
    """Arguments of a shape; colons stand for the spaces within one."""
    return [word.replace(":", " ") if word.startswith("--ip-options=") else word for word in shape.split()]


def in_groups(found: list[Datagram]) -> dict[tuple[int, int, int], list[Datagram]]:
    """Copies of one probe, in the order in which they were sent; the order of ports is drawn."""
    groups: dict[tuple[int, int, int], list[Datagram]] = {}
    for one in found:
        flags = one.payload[13] if one.protocol == 6 else 0
        groups.setdefault((one.protocol, one.port, flags), []).append(one)
    return dict(sorted(groups.items()))


def network_look(one: Datagram, shape: str) -> tuple[object, ...]:
    """What an observer can tell scanners by in the frame and the IP header."""
    mac: object = one.mac
    if "--spoof-mac 0" in shape:
        # Nmap draws the multicast bit as well, and bridges drop such frames: ours is always a single card's.
        mac = "drawn" if one.mac != SCANNER_MAC else one.mac
    elif "--spoof-mac" in shape:
        mac = one.mac[:8]
    ttl: object = one.ttl
    if "--ttl" not in shape and one.version == 4:
        ttl = 37 <= one.ttl <= 59
    source = "public" if ip_address(one.source).is_global else one.source
    return (
        mac, source, one.destination, one.version, one.header_words, one.service, one.flags, ttl, one.protocol,
        one.options, one.pieces, one.sound,
    )  # fmt: skip


def transport_look(one: Datagram, shape: str, target: str) -> tuple[object, ...]:
    """The same of what the packet carries."""
    body = one.payload
    data_at = {6: (body[12] >> 4) * 4 if len(body) > 12 else 0, 17: 8, 132: 28}.get(one.protocol, 0)
    data: object = body[data_at:]
    if "--data-length" in shape:
        data = len(body) - data_at
    if one.protocol == 6:
        # Nmap gives all its probes one number, ours have a number each: what repeats it is ours.
        numbers = [bool(int.from_bytes(body[at : at + 4])) for at in (4, 8)]
        fixed = (one.port, numbers, body[12:16], body[18:data_at])
    elif one.protocol == 17:
        fixed = (one.port, body[4:6])
    elif one.protocol in (1, 58):
        # The identifier is drawn. The sequence number is 0 with Nmap; ours tells the try, so that the round trip of a
        # repeated ping is known.
        fixed = (one.port, body[1], bool(any(body[4:6])), len(body))
        data = body[8:] if "--data-length" not in shape else len(body)
    elif one.protocol == 132:
        fixed = (one.port, len(body), body[12:16])
        data = len(body)
    else:
        fixed = ()
    told: object = "no ports"
    if one.protocol in (6, 17, 132):
        told = one.source_port if "-g " in shape else 33_000 <= one.source_port <= 65_535
    return (*fixed, told, data, checksum_look(one, target))


def checksum_look(one: Datagram, target: str) -> str:
    """Whether the checksum is right, by how much it is not, and whose address it was made for."""
    at = {6: 16, 17: 6, 1: 2, 58: 2, 132: 8}.get(one.protocol)
    if at is None:
        return "none"
    size = 4 if one.protocol == 132 else 2
    told = int.from_bytes(one.payload[at : at + size], "little")
    blank = one.payload[:at] + bytes(size) + one.payload[at + size :]
    for name, destination in (("target", target), ("header", one.destination)):
        if one.protocol == 132:
            right = crc32c(blank)
        else:
            pseudo = b""
            if one.protocol != 1:
                pseudo = ip_address(one.source).packed + ip_address(destination).packed
                pseudo += len(blank).to_bytes(4) + one.protocol.to_bytes(4)
            right = int.from_bytes(internet_checksum(pseudo + blank, one.protocol == 17).to_bytes(2), "little")
        if (told - right) % (1 << 8 * size) in (0, (1 << 8 * size) - 1):
            return f"{name} {'right' if told == right else 'one less'}"
    return "wrong"


def internet_checksum(data: bytes, is_udp: bool) -> int:
    """RFC 1071, word by word."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0")) for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF if is_udp and total == 0xFFFF else total ^ 0xFFFF


def looks(found: list[Datagram], shape: str, target: str) -> dict[tuple[int, int, int], list[tuple[object, ...]]]:
    groups = in_groups(found)
    made = {}
    for key, copies in groups.items():
        # Copies share their identification and their numbers; protocols without a header of their own are built anew
        # for each copy by Nmap, and get identifications of their own there.
        shared = len({one.identification for one in copies}) == 1 if key[0] in (1, 6, 17, 132) else "either"
        same = len({(one.source_port, one.payload[4:12]) for one in copies}) == 1 if key[0] == 6 else "either"
        times = len({one.ttl for one in copies}) == 1 if "--ttl" in shape else "drawn"
        made[key] = [(*network_look(one, shape), *transport_look(one, shape, target)) for one in copies]
        made[key].append((shared, same, times))
    return made


def compare(bench: Bench, arguments: list[str], shape: str, family: int = 4) -> list[Datagram]:
    """Both scanners' packets look alike; returns ours."""
    target = bench.labs[0].target_v4 if family == 4 else bench.labs[0].target_v6
    theirs, ours = probes(bench, [*arguments, *words(shape), target])
    assert theirs
    assert looks(ours, shape, target) == looks(theirs, shape, target)
    return ours


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_techniques(bench: Bench, technique: str) -> None:
    ours = compare(bench, [*technique.split(), *PORTS], "")
    assert {one.port for one in ours} == {7001, 7002}


@pytest.mark.parametrize("technique", ["-sS", "-sX"])
def test_techniques_over_ipv6(bench: Bench, technique: str) -> None:
    compare(bench, ["-6", technique, *PORTS], "", 6)


@pytest.mark.parametrize("family", [4, 6])
def test_pings(bench: Bench, family: int) -> None:
    ours = compare(bench, [f"-{family}", *(PINGS_V4 if family == 4 else PINGS)], "", family)
    assert len(ours) == (8 if family == 4 else 4)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(bench: Bench, shape: str) -> None:
    ours = compare(bench, ["-sS", *PORTS], shape)
    assert {one.port for one in ours} == {7001, 7002}


@pytest.mark.parametrize("way", OTHERS)
def test_shapes_of_other_techniques(bench: Bench, way: str) -> None:
    technique, _, shape = way.partition(" ")
    compare(bench, [technique, *PORTS], shape)


@pytest.mark.parametrize("shape", PING_SHAPES)
def test_shapes_of_pings(bench: Bench, shape: str) -> None:
    compare(bench, [*PINGS_V4], shape)


@pytest.mark.parametrize("shape", V6_SHAPES)
def test_shapes_over_ipv6(bench: Bench, shape: str) -> None:
    compare(bench, ["-6", "-sS", *PORTS], shape, 6)


def test_bad_checksums_over_ipv6(bench: Bench) -> None:
    """With pings: Nmap spoils its question about the next hop as well, and gets no further than it."""
    for lab in bench.labs:
        lab.scanner.ip(f"neigh replace {lab.target_v6} lladdr {TARGET_MAC} dev eth0 nud permanent")
    compare(bench, ["-6", *PINGS], "--badsum", 6)


@pytest.mark.parametrize("shape", CONNECT_SHAPES)
def test_connections_start_where_they_are_told_to(bench: Bench, shape: str) -> None:
    found = []
    for sent in probes(bench, ["-sT", "-Pn", "-p", "7001,7002", *shape.split(), bench.labs[0].target_v4]):
        syns = [one for one in sent if one.payload[13] == 2]
        found.append(sorted((one.port, one.source, one.ttl, one.options, one.header_words) for one in syns))
    assert found[0] == found[1]
    assert [each[0] for each in found[1]] == [7001, 7002]
