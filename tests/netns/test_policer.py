"""A real policer on the path: it is not driven into dropping most of what is sent, and nothing behind it is missed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.netns import Lab, routed_lab
from tests.support.scan import LEADLINE, scan

pytestmark = pytest.mark.netns

HOSTS, PORTS, RATE, BURST = 4, 80, 400, 20
OPEN = {3, 22, 79, 80}
TARGETS = "10.88.1.0/24"


@pytest.fixture(scope="module")
def policed() -> Iterator[Lab]:
    """``TARGETS`` drop what they do not serve; the router drops what is more than ``RATE`` a second, each way."""
    with routed_lab() as lab:
        assert lab.router is not None
        lab.target.answers_for(TARGETS)
        lab.target.listen(sorted(OPEN))
        served = ", ".join(map(str, sorted(OPEN)))
        lab.target.firewall("input", f"ip daddr {TARGETS} tcp dport {{ {served} }} accept", f"ip daddr {TARGETS} drop")
        over = f"limit rate over {RATE}/second burst {BURST} packets"
        lab.router.firewall(
            "forward",
            f"ip daddr {TARGETS} counter",
            f"ip daddr {TARGETS} {over} counter drop",
            f"ip saddr {TARGETS} {over} drop",
        )
        yield lab


def test_a_policer_is_found_out_and_all_behind_it_is_found(policed: Lab) -> None:
    assert policed.router is not None
    ports = ("-p", f"1-{PORTS}")
    run = scan(policed.scanner, LEADLINE, "-n", "-Pn", *ports, f"10.88.1.1-{HOSTS}", "-oJ", "-", "-d")
    found = {
        address: {number for (_, number), port in host.ports.items() if port.state == "open"}
        for address, host in run.hosts.items()
    }
    assert found == {f"10.88.1.{1 + row}": OPEN for row in range(HOSTS)}
    chain = policed.router.run("nft", "list", "table", "inet", "forward").stdout
    came, dropped = (int(count) for count in re.findall(r"counter packets (\d+)", chain))
    # The first half second, at which nobody knows the rate yet, included.
    assert dropped < 0.25 * came
    assert came < 10 * HOSTS * PORTS
    decisions = [event for event in map(json.loads, run.stdout.splitlines()) if event["event"] == "timing_decision"]
    ceilings = [event["new"] for event in decisions if event["what"] == "rate"]
    assert ceilings
    assert RATE / 3 < ceilings[-1] < 1.5 * RATE
