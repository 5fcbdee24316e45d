"""A real kernel that leads all its ports to one listener: Leadline says so instead of listing them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.support.netns import Lab, on_link_lab
from tests.support.scan import LEADLINE, scan

pytestmark = pytest.mark.netns

REDIRECT = """
table inet lead {
  chain before {
    type nat hook prerouting priority -100;
    tcp dport { 1-21, 23-65535 } redirect to :80
  }
}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with on_link_lab() as made:
        made.target.listen([80])
        subprocess.run(made.target.command("nft", "-f", "-"), input=REDIRECT, text=True, check=True, timeout=30)
        yield made


@pytest.mark.parametrize("technique", ["-sS", "-sT"])
def test_all_ports_that_lead_to_one_listener(lab: Lab, technique: str) -> None:
    run = scan(lab.scanner, LEADLINE, "-n", technique, "-p", "1-200", "10.77.0.2")
    (host,) = etree.fromstring(run.xml).iter("host")
    comment = host.get("comment", "")
    assert "it answers on every port: 8 of 8 random ones accepted a connection too" in comment
    assert "drops connections as soon as they are made" in comment
    listed = {port.get("portid") for port in host.iter("port") if port.find("state").get("state") == "open"}
    assert listed == set(), "the listener closes what it accepts, everywhere alike"
    counted = {one.get("state"): one.get("count") for one in host.iter("extraports")}
    assert counted["open"] == "199"


def test_a_host_is_given_up(lab: Lab) -> None:
    run = scan(lab.scanner, LEADLINE, "-n", "-sS", "-p-", "--max-open-ports", "100", "10.77.0.2")
    (host,) = etree.fromstring(run.xml).iter("host")
    comment = host.get("comment", "")
    assert "given up during SYN Stealth Scan: so many ports are open (--max-open-ports)" in comment
    assert "it answers on every port" in comment
