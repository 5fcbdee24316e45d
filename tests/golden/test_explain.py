"""Stories of ports in each state, from simulated scans. ``UPDATE_GOLDEN=1`` writes them anew; times are masked."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path

import pytest

from leadline.cli.explain import Question, answer
from leadline.model.plan import OutputPlan
from leadline.report.json_lines import JsonLines
from leadline.report.recording import Recording
from leadline.sim.firewall import ADMIN_PROHIBITED
from leadline.sim.services import ssh
from leadline.sim.world import PortTable, SimHost, simple_world
from tests.support.sim_scan import sim_scan

FOLDER = Path(__file__).parent / "explain"
ADDRESS = "10.0.0.9"
TABLE = PortTable(open=frozenset({22, 80}), filtered=frozenset({82}), rejected=frozenset({83}), error=ADMIN_PROHIBITED)
CASES = {
    "open-service": ("syn", 22, {"versions": True, "ports": "22,81-83"}),
    "closed": ("syn", 81, {"ports": "80-83"}),
    "closed-of-many": ("syn", 500, {"ports": "80-999"}),
    "filtered": ("syn", 82, {"ports": "80-83"}),
    "rejected": ("syn", 83, {"ports": "80-83"}),
    "unfiltered": ("ack", 80, {"ports": "80-83"}),
    "open-filtered": ("fin", 80, {"ports": "80-83"}),
    "host": ("syn", None, {"ports": "80-999"}),
}


def recorded(technique: str, **options: object) -> Recording:
    host = SimHost((ip_address(ADDRESS),), tcp=TABLE, services=(ssh(22, "OpenSSH_9.2p1 Debian-2+deb12u3"),))
    scan = sim_scan(simple_world([host], network="10.0.0.0/24"), ADDRESS, techniques=(technique,), **options)
    recording, writer = Recording(ADDRESS), JsonLines(OutputPlan())
    for event in scan.events:
        assert recording.feed(writer.feed(event))
    return recording


@pytest.mark.parametrize("name", CASES)
def test_stories(name: str) -> None:
    technique, port, options = CASES[name]
    status, lines = answer(recorded(technique, **options), Question("scan.jsonl", ADDRESS, port))
    assert status == 0
    # The pace is the engine's affair; what matters here is the shape and the words.
    story = "\n".join(lines[: lines.index("The pace")])
    text = re.sub(r"\b\d+\.\d+s", "#.###s", re.sub(r"(?m)^ +\d+\.\d+s", "     1.0s", story)) + "\n"
    text = re.sub(r"10-shells\.probes:\d+", "10-shells.probes:N", text)
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
