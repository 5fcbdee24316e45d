"""A sweep over real rings and a real kernel's answers: every host is found, open ports are told from closed ones."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.netns import Namespace, connect, namespaces
from tests.support.processes import started

pytestmark = pytest.mark.netns
NETWORK = "10.88.0.0/19"
COMMAND = (sys.executable, "-P", "-m", "leadline", "-sS", "-Pn", "-n")


@pytest.fixture(scope="module")
def scanner() -> Iterator[Namespace]:
    with namespaces("scanner", "target") as (scanner, target):
        connect(scanner, "eth0", target, "eth0")
        scanner.address("eth0", "10.77.0.1/24")
        target.address("eth0", "10.77.0.2/24")
        scanner.ip("route add default via 10.77.0.2")
        target.answers_for(NETWORK)
        target.listen((80,))
        yield scanner


def test_every_host_and_port_is_found(scanner: Namespace) -> None:
    done = scanner.run(*COMMAND, "-p", "80,81", NETWORK, "-oG", "-", timeout=120)
    lines = [line for line in done.stdout.splitlines() if "Ports:" in line]
    assert len({line.split()[1] for line in lines}) == len(lines) == 8192
    assert {line.partition("Ports: ")[2] for line in lines} == {"80/open/tcp//http///, 81/closed/tcp//unknown///"}


def test_an_interruption_closes_every_output(scanner: Namespace, tmp_path: Path) -> None:
    json_file, xml_file = tmp_path / "scan.json", tmp_path / "scan.xml"
    outputs = ("-oJ", str(json_file), "-oX", str(xml_file))
    with started(scanner.command(*COMMAND, "-p", "81", "--max-rate", "2k", NETWORK, *outputs)) as process:
        deadline = time.monotonic() + 60
        while not (json_file.exists() and '"task_progress"' in json_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    events = [json.loads(line) for line in json_file.read_text().splitlines()]
    assert events[-1]["exit"] == "interrupted"
    hosts = [event["host"] for event in events if event["event"] == "host_done"]
    silent = sum(event["count"] for event in events if event["event"] == "hosts_silent")
    assert len(hosts) + silent == 8192
    assert {host["interrupted"] for host in hosts} == {"SYN Stealth Scan"}
    assert xml_file.read_text().rstrip().endswith("</nmaprun>")
