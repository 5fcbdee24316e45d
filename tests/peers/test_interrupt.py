"""Ctrl-C (and SIGTERM) in every stage: outputs are whole, and all that was found until then is in them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.support.compare import HostResult, parse
from tests.support.netns import ROOT, Lab, routed_lab
from tests.support.processes import started
from tests.support.scan import LEADLINE

Line = dict[str, Any]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
OPEN = (80, 443, 8080)
NAME_SERVER = "10.88.53.53"
NOBODY_ANSWERS = "10.88.53.54"


@pytest.fixture(scope="module")
def wide() -> Iterator[Lab]:
    """Behind a router: a network where some hosts answer and most are silent, and a name server that never answers."""
    with routed_lab() as lab:
        lab.target.answers_for("10.88.16.0/26", f"{NAME_SERVER}/32", f"{NOBODY_ANSWERS}/32")
        lab.target.firewall("input", f"ip daddr {NOBODY_ANSWERS} drop")
        lab.target.listen(OPEN)
        yield lab


@dataclass(frozen=True, slots=True)
class Cut:
    """A scan that was stopped: its status, how long it took to stop, the JSON lines until the signal and after all."""

    status: int
    seconds: float
    before: list[Line]
    lines: list[Line]
    hosts: dict[str, HostResult]
    root: etree._Element
    stderr: str


def cut(lab: Lab, folder: Path, when: Callable[[list[Line]], bool], number: int, *arguments: str) -> Cut:
    """Start a scan, send signal ``number`` as soon as ``when`` holds for the events so far, and read what it left."""
    xml, text = folder / "scan.xml", folder / "scan.nmap"
    command = [*LEADLINE, "-oX", str(xml), "-oN", str(text), "-oJ", "-", *arguments]
    with started(
        lab.scanner.command(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, environment=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        before: list[Line] = []
        deadline = time.monotonic() + 60
        while not when(before):
            assert select.select([process.stdout], [], [], deadline - time.monotonic())[0], f"never so far: {before}"
            line = process.stdout.readline()
            assert line, f"the scan ended before: {before}\n{process.stderr.read() if process.stderr else ''}"
            before.append(json.loads(line))
        sent = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        seconds = time.monotonic() - sent
    lines = before + [json.loads(line) for line in stdout.splitlines()]
    root = etree.fromstring(xml.read_bytes())
    assert text.read_text(encoding="utf-8").splitlines()[-1].startswith("# Leadline")
    return Cut(process.returncode, seconds, before, lines, parse(xml), root, stderr)


def events(lines: list[Line], kind: str) -> list[Line]:
    return [line for line in lines if line["event"] == kind]


def expect_whole(result: Cut, number: signal.Signals) -> None:
    """What holds wherever a scan is cut."""
    assert result.status == 128 + number, result.stderr
    assert "Traceback" not in result.stderr
    assert result.seconds < 5
    assert result.lines[-1]["event"] == "scan_ended"
    assert result.lines[-1]["exit"] == "interrupted"
    finished = result.root.find("runstats/finished")
    assert finished is not None
    assert finished.get("exit") == "error"
    assert "interrupted" in finished.get("errormsg", "")
    for line in events(result.lines, "host_found"):
        assert result.hosts[line["address"]].status == "up"
    for line in events(result.lines, "port_found"):
        found = line["port"]
        port = result.hosts[line["address"]].ports[found["protocol"], found["number"]]
        assert port.state == "open"
    for line in events(result.lines, "host_done"):
        if line["host"]["status"] == "up":
            assert result.hosts[line["host"]["address"]].status == "up"


SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)


@SIGNALS
def test_during_discovery(wide: Lab, tmp_path: Path, number: signal.Signals) -> None:
    def some_found(lines: list[Line]) -> bool:
        return len(events(lines, "host_found")) >= 3

    result = cut(wide, tmp_path, some_found, number, "-n", "-sn", "--max-rate", "100", "10.88.16.0/22")
    expect_whole(result, number)
    assert len(events(result.lines, "host_found")) < 64


@SIGNALS
def test_during_a_syn_scan(wide: Lab, tmp_path: Path, number: signal.Signals) -> None:
    def open_found(lines: list[Line]) -> bool:
        return len(events(lines, "port_found")) >= 1

    arguments = ("-n", "-sS", "-p-", "--max-rate", "2000", "10.88.16.1-4")
    result = cut(wide, tmp_path, open_found, number, *arguments)
    expect_whole(result, number)
    assert {line["host"]["interrupted"] != "" for line in events(result.lines, "host_done")} == {True}


@SIGNALS
def test_during_a_connect_scan(wide: Lab, tmp_path: Path, number: signal.Signals) -> None:
    def open_found(lines: list[Line]) -> bool:
        return len(events(lines, "port_found")) >= 1

    arguments = ("-n", "-sT", "-p-", "--max-rate", "2000", "10.88.16.1-4")
    result = cut(wide, tmp_path, open_found, number, *arguments)
    expect_whole(result, number)
    assert {line["host"]["interrupted"] != "" for line in events(result.lines, "host_done")} == {True}


@SIGNALS
def test_while_names_are_looked_up(wide: Lab, tmp_path: Path, number: signal.Signals) -> None:
    def names_asked(lines: list[Line]) -> bool:
        return any("DNS" in line["task"] for line in events(lines, "task_started"))

    arguments = ("-sn", "-v", "--dns-servers", NOBODY_ANSWERS, "10.88.16.0/26")
    result = cut(wide, tmp_path, names_asked, number, *arguments)
    expect_whole(result, number)
    assert sum(host.status == "up" for host in result.hosts.values()) == 64


def test_twice_in_a_row_ends_at_once_and_leaves_no_process(wide: Lab, tmp_path: Path) -> None:
    command = (*LEADLINE, "-n", "-sn", "--max-rate", "50", "-oX", str(tmp_path / "x"), "10.88.0.0/16")
    with started(wide.scanner.command(*command), stderr=subprocess.PIPE, environment=ENVIRONMENT) as process:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and b"<nmaprun" not in (
            (tmp_path / "x").read_bytes() if (tmp_path / "x").exists() else b""
        ):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode in (130, -signal.SIGINT)
