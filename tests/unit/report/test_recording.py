"""What is kept of a file about one host."""

import json

from leadline.report.recording import MOST_PACES, Recording


def line(event: str, **fields: object) -> str:
    return json.dumps({"event": event, "at": 1.0, **fields}, separators=(",", ":")) + "\n"


def host(address: str, name: str = "", status: str = "up") -> str:
    names = [{"name": name, "kind": "PTR"}] if name else []
    return line("host_done", host={"address": address, "status": status, "hostnames": names})


def decision(address: str | None, old: float = 1.0, cause: str = "loss") -> str:
    return line("timing_decision", address=address, what="cwnd", cause=cause, old=old, new=old + 1)


def fed(wanted: str, *lines: str) -> Recording:
    recording = Recording(wanted)
    for one in lines:
        recording.feed(one)
    return recording


def test_by_address_and_by_name() -> None:
    lines = (
        line("scan_started"),
        decision("10.0.0.1"),
        decision("10.0.0.2"),
        host("10.0.0.2"),
        host("10.0.0.1", "A.x"),
    )
    for wanted in ("10.0.0.1", "a.X."):
        recording = fed(wanted, *lines, host("10.0.0.3", "a.x"))
        assert recording.known
        assert recording.address == "10.0.0.1"
        assert recording.early.paces["cwnd", "loss"].count == 1
    assert recording.others == ["10.0.0.3"]
    assert fed("2001:DB8:0::1", host("2001:db8::1")).known


def test_decisions_of_a_kind_are_one() -> None:
    recording = fed("10.0.0.1", *(decision(None, value) for value in (1.0, 5.0, 9.0)), host("10.0.0.1"), decision(None))
    pace = recording.group.paces["cwnd", "loss"]
    assert (pace.count, pace.old, pace.new) == (3, 1.0, 10.0)
    many = fed("10.0.0.1", *(decision("10.0.0.1", cause=str(number)) for number in range(100)))
    assert len(many.early.paces) == MOST_PACES
    assert many.early.more == 100 - MOST_PACES


def test_a_file_that_ends_before_the_host() -> None:
    found = line("host_found", address="10.0.0.1", hostnames=[{"name": "a.x", "kind": "PTR"}])
    port = line("port_found", address="10.0.0.1", port={"number": 22, "protocol": "tcp"})
    for wanted in ("10.0.0.1", "a.x"):
        recording = fed(wanted, found, port)
        assert recording.known
        assert recording.early.ports[0]["number"] == 22


def test_what_else_is_there() -> None:
    recording = fed("10.0.0.9", host("10.0.0.1"), host("10.0.0.2", status="down"), "rubbish\n", "{\n", "\n")
    assert not recording.known
    assert (recording.hosts, recording.up, recording.named, recording.bad) == (2, 1, ["10.0.0.1"], 2)


def test_the_first_scan_that_knows_the_host_counts() -> None:
    lines = (line("scan_started", version="1"), host("10.0.0.2"), line("scan_started", version="2"), host("10.0.0.1"))
    recording = fed("10.0.0.1", *lines, line("scan_started", version="3"))
    assert (recording.started["version"], recording.scans) == ("2", 3)


def test_tasks_and_notices() -> None:
    recording = fed("10.0.0.1", line("task_started", task="Scan"), line("notice", level="warning", text="x"))
    recording.feed(line("notice", level="info", text="y"))
    assert len(recording.tasks) == len(recording.notices) == 1
