"""The packets of both scanners over IPv4, field by field: each technique's, and each option's that shapes packets.

What is compared how, and where the two differ on purpose: ``tests.support.packet_looks`` and ``watched``.
"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.support.packet_looks import checksum_look, network_look
from tests.support.scan import LEADLINE, NMAP, scan
from tests.support.watch import Datagram
from tests.support.watched import HASTE, Bench, compare, probes

PORTS = ("-Pn", "-p", "7001,7002")
PINGS = ("-sn", "--disable-arp-ping", "-PE", "-PS80", "-PA80", "-PU40125")
PINGS_V4 = (*PINGS, "-PP", "-PM", "-PO4,99")

TECHNIQUES = [
    "-sSUY", "-sAZ", "-sW", "-sM", "-sN", "-sF", "-sX", "-sS --scanflags SYNURG", "-sW --scanflags 18",
    "-sS --scanflags ALL",
]  # fmt: skip
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
    "-sY -f --data-length 5", "-sY --badsum -g 53 -D ME,10.77.0.9", "-sZ --adler32 --data-string x",
]  # fmt: skip
CONNECT_SHAPES = ["-S 10.77.0.8 -e eth0 --ttl 9 --ip-options R"]


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_techniques(bench: Bench, technique: str) -> None:
    ours = compare(bench, [*technique.split(), *PORTS], "")
    assert {one.port for one in ours} == {7001, 7002}
    assert len(ours) == 2 * (1 + sum(letter in technique.split(maxsplit=1)[0] for letter in "UYZ"))


@pytest.mark.parametrize("shape", ["", "-g 53 --data-length 3"])
@pytest.mark.parametrize("family", [4, 6])
def test_second_tries(bench: Bench, family: int, shape: str) -> None:
    """To ports that drop what is sent there."""
    arguments = [f"-{family}", "-sSUY", "-Pn", "-p", "T:80,U:7009,S:80", "--max-retries", "1"]
    ours = compare(bench, arguments, shape, family)
    assert len(ours) == 6
    assert len({(one.protocol, one.source_port) for one in ours}) == (3 if "-g" in shape else 6)


@pytest.mark.parametrize("family", [4, 6])
def test_questions_of_protocols(bench: Bench, family: int) -> None:
    """UDP ports that are asked by their protocol: what is asked is each program's own, unless it is given.

    Nmap sends what is given as often as it knows questions, Leadline once.
    """
    target = bench.labs[0].target_v4 if family == 4 else bench.labs[0].target_v6
    for given in ((), ("--data-string", "x")):
        sent = probes(bench, [f"-{family}", "-sU", "-Pn", "-p", "53,123,161", *given, target])
        looks = [{(one.port, question_look(one, target, bool(given))) for one in each} for each in sent]
        assert looks[0] == looks[1]
        assert len(looks[1]) == 3
    assert len(sent[1]) == 3


def question_look(one: Datagram, target: str, given: bool) -> tuple[object, ...]:
    """Everything, but of the scanners' own questions only that there is one."""
    *network, _, sound = network_look(one, "")
    data = one.payload[8:] if given else len(one.payload) > 8
    return (*network, sound, 33_000 <= one.source_port <= 65_535, checksum_look(one, target), data)


@pytest.mark.parametrize("which", [" ".join(PINGS_V4), "-sn --disable-arp-ping -PO1,2,6,17,132 -PY7001"])
def test_pings(bench: Bench, which: str) -> None:
    ours = compare(bench, which.split(), "")
    assert len(ours) == (8 if "-PE" in which else 6)


@pytest.mark.parametrize("shape", ["", "--data-length 6 -D 10.77.0.9,ME", "--badsum --ttl 9"])
def test_what_asks_for_protocols(bench: Bench, shape: str) -> None:
    ours = compare(bench, ["-sO", "-Pn", "-p", "1,2,6,17,41,47,58,59,89,132,255"], shape)
    assert len({one.protocol for one in ours}) == 11


@pytest.mark.parametrize("shape", ["", "--spoof-mac 02:11:22:33:44:55 --data-length 5 -D {0}9,ME"])
@pytest.mark.parametrize("family", [4, 6])
def test_who_asks_for_neighbours(bench: Bench, family: int, shape: str) -> None:
    """ARP and neighbour discovery, to the byte. (Over IPv6 Nmap's have the --ttl of other packets: nobody answers.)"""
    absent = "10.77.0.99" if family == 4 else "fd77::99"
    found = []
    for program, lab, seen in zip((NMAP, LEADLINE), bench.labs, bench.watches, strict=True):
        seen.frames()
        shaped = shape.format(absent[:-2]).split()
        scan(lab.scanner, program, *HASTE, f"-{family}", "-sn", *shaped, absent)
        found.append({frame for frame in seen.frames() if ip_address(absent).packed in frame})
    assert found[0] == found[1]
    assert len(found[1]) == 1


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


@pytest.mark.parametrize("shape", CONNECT_SHAPES)
def test_connections_start_where_they_are_told_to(bench: Bench, shape: str) -> None:
    found = []
    for sent in probes(bench, ["-sT", "-Pn", "-p", "7001,7002", *shape.split(), bench.labs[0].target_v4]):
        syns = [one for one in sent if one.payload[13] == 2]
        found.append(sorted((one.port, one.source, one.ttl, one.options, one.header_words) for one in syns))
    assert found[0] == found[1]
    assert [each[0] for each in found[1]] == [7001, 7002]
