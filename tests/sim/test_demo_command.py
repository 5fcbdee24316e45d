"""``leadline demo`` from the shell: the whole program over the simulated network."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadline.wire.pcapng import Reader
from tests.support.processes import started


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leadline", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_all_outputs_agree(tmp_path: Path) -> None:
    base = str(tmp_path / "scan")
    done = demo("-oA", base, "-oJ", base + ".jsonl", "--record", base + ".pcapng", "-p", "22,80,443", "10.20.0.0/26")
    assert done.returncode == 0, done.stderr
    assert "80/tcp" in done.stdout
    events = [json.loads(line) for line in Path(base + ".jsonl").read_text().splitlines()]
    names = {"scan.nmap", "scan.xml", "scan.gnmap", "scan.jsonl", "scan.pcapng"}
    assert {path.name for path in tmp_path.iterdir()} == names
    found = done.stdout.count("\n80/tcp") - done.stdout.count("\n80/tcp  closed")
    assert found > 3
    assert Path(base + ".gnmap").read_text().count("\tPorts: ") >= found
    assert Path(base + ".xml").read_text().rstrip().endswith("</nmaprun>")
    assert len(events) > found
    with open(base + ".pcapng", "rb") as file:
        assert sum(1 for _ in Reader(file)) > 64


def test_the_same_seed_gives_the_same_scan() -> None:
    def hosts(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith(("Starting", "Leadline done"))]

    first, second = (demo("-n", "-F", "10.20.0.0/27", "--seed", "3") for _ in range(2))
    assert hosts(first.stdout) == hosts(second.stdout)
    assert len(hosts(first.stdout)) > 5


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_by_a_signal(tmp_path: Path, number: signal.Signals, status: int) -> None:
    report = tmp_path / "scan.xml"
    command = [sys.executable, "-m", "leadline", "demo", "--speed", "0.01", "10.20.0.0/24", "-oX", str(report)]
    with started(command, stdout=subprocess.PIPE, stderr=None) as process:
        deadline = time.monotonic() + 30
        while not (report.exists() and report.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == status
    assert f"interrupted by {number.name}" in text
    assert report.read_text().rstrip().endswith("</nmaprun>")


def test_a_reader_that_has_seen_enough_ends_the_scan() -> None:
    code = f"{sys.executable} -m leadline demo 10.20.0.0/26 -F -d | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False, timeout=100)
    first, status = done.stdout.splitlines()
    assert first.startswith("Starting Leadline")
    assert status == "1"
    assert "Traceback" not in done.stderr
