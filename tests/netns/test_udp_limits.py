"""A real kernel with its default limit of ICMP errors, and servers that want to be asked in their own protocol."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import pytest

from tests.support.demanding import ANSWERING, SERVERS
from tests.support.netns import SUPPORT, Lab, on_link_lab
from tests.support.scan import LEADLINE, scan

FIRST_CLOSED = 40_000


@pytest.fixture(scope="module")
def limited() -> Iterator[Lab]:
    """The target's kernel limits ICMP errors as it does by default."""
    with on_link_lab() as lab:
        lab.target.sysctl("net/ipv4/icmp_ratelimit", "1000")
        lab.target.sysctl("net/ipv6/icmp/ratelimit", "1000")
        servers = lab.target.start(sys.executable, "-P", str(SUPPORT / "demanding.py"))
        assert servers.stdout is not None
        assert servers.stdout.readline().strip() == "ready"
        yield lab


@pytest.mark.parametrize(("family", "count"), [(4, 15), (6, 4)])
def test_closed_ports_are_told_and_servers_found_at_once(limited: Lab, family: int, count: int) -> None:
    target = limited.target_v4 if family == 4 else limited.target_v6
    closed = range(FIRST_CLOSED, FIRST_CLOSED + count)
    ports = ",".join(map(str, (*SERVERS, *closed)))
    run = scan(limited.scanner, LEADLINE, "-n", f"-{family}", "-sU", "-p", ports, target, "-oJ", "-")
    found = {number: port.state for (_, number), port in run.hosts[target].ports.items()}
    assert found == (
        dict.fromkeys(SERVERS, "open|filtered") | dict.fromkeys(ANSWERING, "open") | dict.fromkeys(closed, "closed")
    )
    events = [json.loads(line) for line in run.stdout.splitlines()]
    seen = {event["port"]["number"]: event["at"] for event in events if event["event"] == "port_found"}
    assert set(seen) == ANSWERING
    assert max(seen.values()) < 10
    (host,) = [event["host"] for event in events if event["event"] == "host_done"]
    if family == 4:
        (remark,) = host["remarks"]
        assert re.match(r"it limits its ICMP errors to about (0\.9\d?|1|1\.0\d?) a second", remark), remark
