"""The packets of both scanners over IPv6, field by field: each technique's, each ping's, and each shape's.

What is compared how, and where the two differ on purpose: ``tests.support.packet_looks`` and ``watched``.
"""

from __future__ import annotations

import pytest

from tests.support.packet_looks import TARGET_MAC
from tests.support.scan import LEADLINE, NMAP
from tests.support.watch import datagrams
from tests.support.watched import ALIAS, Bench, compare, of_kernel, probes

# Without neighbour discovery of the peer's own, which it spoils by --badsum and --ttl: the kernel knows the neighbour.
PORTS = ("-6", "-Pn", "--disable-arp-ping", "-p", "7001,7002")
PINGS = ("-6", "-sn", "--disable-arp-ping")
TECHNIQUES = [
    "-sSUY", "-sAZ", "-sW", "-sM", "-sN", "-sF", "-sX", "-sS --scanflags ALL", "-sA --scanflags FIN",
]  # fmt: skip
SHAPES = [
    "--data 0x00DEADbeef", "--data-string hello -g 53", "--data-length 7 --ttl 3", "--badsum -g 0 --data 00",
    f"-S {ALIAS[6]} -e eth0 --ttl 0", "-D fd77::9,ME,fd77::a", "-D fd77::9,ME -g 53 --badsum",
    "--spoof-mac 02:11:22:33:44:55", "--spoof-mac 02:11:22 --send-eth", "--spoof-mac 0", "--send-ip", "--adler32",
]  # fmt: skip
PING_SHAPES = ["-D fd77::9,ME --data-length 5", "--badsum --ttl 9 -g 53", f"--send-ip -S {ALIAS[6]} -e eth0"]
PROTOCOLS = "1,2,6,17,41,47,58,59,89,132,255"


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_techniques(bench: Bench, technique: str) -> None:
    ours = compare(bench, [*technique.split(), *PORTS], "", 6)
    assert {one.port for one in ours} == {7001, 7002}
    assert len(ours) == 2 * (1 + sum(letter in technique.split(maxsplit=1)[0] for letter in "UYZ"))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_tcp_udp_and_sctp(bench: Bench, shape: str) -> None:
    ours = compare(bench, ["-sSUY", *PORTS], shape, 6)
    assert {one.protocol for one in ours} == {6, 17, 132}


@pytest.mark.parametrize("shape", ["", "--data-length 6 -D fd77::9,ME", "--badsum --ttl 9"])
def test_what_asks_for_protocols(bench: Bench, shape: str) -> None:
    ours = compare(bench, ["-sO", "-6", "-Pn", "--disable-arp-ping", "-p", PROTOCOLS], shape, 6)
    assert len({one.protocol for one in ours}) == 11


@pytest.mark.parametrize("which", ["-PE -PS80 -PA80 -PU40125", "-PY80,7001", "-PO6,17,58,99,132"])
def test_pings(bench: Bench, which: str) -> None:
    ours = compare(bench, [*PINGS, *which.split()], "", 6)
    assert len(ours) == len(which.replace(",", " ").split())


@pytest.mark.parametrize("shape", PING_SHAPES)
def test_shapes_of_pings(bench: Bench, shape: str) -> None:
    compare(bench, [*PINGS, "-PE", "-PS80", "-PA80", "-PU40125", "-PY80"], shape, 6)


@pytest.mark.parametrize("shape", ["-f", "--mtu 16", "-D fd77::9,RND,ME"])
def test_what_ipv6_has_not_is_refused_by_both(bench: Bench, shape: str) -> None:
    for program, lab, seen in zip((NMAP, LEADLINE), bench.labs, bench.watches, strict=True):
        seen.frames()
        done = lab.scanner.run(*program, "-n", "-sS", *PORTS, *shape.split(), lab.target_v6, check=False)
        assert done.returncode
        assert not [one for one in datagrams(seen.frames(), f"-{TARGET_MAC}") if not of_kernel(one)]


def test_connections_start_where_they_are_told_to(bench: Bench) -> None:
    """--ttl is not compared: Nmap does not hold it for connections over IPv6."""
    found = [
        sorted((one.port, one.source, one.ttl) for one in sent if one.payload[13] == 2)
        for sent in probes(bench, ["-sT", *PORTS, "-S", ALIAS[6], "-e", "eth0", bench.labs[0].target_v6])
    ]
    assert found[0] == found[1] == [(port, ALIAS[6], 64) for port in (7001, 7002)]
