from __future__ import annotations

from dataclasses import replace

import pytest

from leadline.model.event import Event, HostDone, Notice, ScanEnded, ScanInfo, ScanStarted, TaskProgress
from leadline.model.plan import OutputPlan
from leadline.model.port import Protocol, Reason
from leadline.report.xml_doc import XmlDocument
from tests.support.nmap_xml import read_by_libnmap, read_by_python_nmap, validated
from tests.support.report_events import HOSTILE_NAME, STARTED, WEB, down_host, whole_scan
from tests.support.service_events import FINGERPRINT, services_scan
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

pytestmark = pytest.mark.usefixtures("utc")

START, *_, END = whole_scan()
PLANS = [
    OutputPlan(),
    OutputPlan(verbosity=1),
    OutputPlan(verbosity=3, debugging=3, reason=True, stats_every=1.0),
    OutputPlan(open_only=True),
    OutputPlan(stylesheet='x?><a href="'),
]


def document(plan: OutputPlan, *events: Event) -> str:
    report = XmlDocument(plan)
    return "".join(report.feed(event) for event in events)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("exit_word", ["success", "interrupted", "error"])
def test_every_document_is_valid(plan: OutputPlan, exit_word: str) -> None:
    events = whole_scan(plan.verbosity, plan.debugging, exit_word, "SIGINT -- \x07 <&")
    root = validated(document(plan, *events))
    finished = root.find("runstats/finished")
    assert finished.get("exit") == ("success" if exit_word == "success" else "error")
    expected = {"success": None, "interrupted": "interrupted (SIGINT -- \\x07 <&)", "error": "SIGINT -- \\x07 <&"}
    assert finished.get("errormsg") == expected[exit_word]


@pytest.mark.parametrize("count", range(1, 22))
def test_a_scan_may_end_after_any_event(count: int) -> None:
    events = whole_scan(1)
    validated(document(OutputPlan(verbosity=1), *events[:count], replace(END, exit="interrupted", message="SIGTERM")))


def test_the_root_says_who_scanned_how() -> None:
    root = validated(document(OutputPlan(), START, END))
    assert dict(root.attrib) == {
        "scanner": "nmap",
        "args": 'leadline -sS --open-or-not www.example.org "a b" "say \\"hi\\""',
        "start": "1795436744",
        "startstr": "Mon Nov 23 12:25:44 2026",
        "version": "0.1.0 (Leadline)",
        "xmloutputversion": "1.05",
    }
    assert dict(root.find("scaninfo").attrib)["services"] == "1-21,22,25,110,2000-2974,8080"


@pytest.mark.parametrize(("flags", "shown"), [("", None), ("FINSYN", "FINSYN"), ("NONE", "NONE")])
def test_chosen_flags_stand_where_nmap_puts_them(flags: str, shown: str | None) -> None:
    started, *rest = whole_scan()
    assert isinstance(started, ScanStarted)
    scans = (ScanInfo("fin", Protocol.TCP, 1, "22", flags),)
    text = document(OutputPlan(), replace(started, scans=scans), *rest)
    info = validated(text).find("scaninfo")
    assert info is not None
    assert info.get("scanflags") == shown
    assert list(info.attrib)[:2] == (["type", "scanflags"] if flags else ["type", "protocol"])


def test_libnmap_reads_it() -> None:
    report = read_by_libnmap(document(OutputPlan(verbosity=1), *whole_scan(1)))
    assert (report.hosts_up, report.hosts_down, report.hosts_total) == (3, 2, 5)
    assert report.commandline.startswith("leadline -sS")
    assert report.elapsed == 42.5
    web = report.hosts[0]
    assert web.address == "10.0.0.1"
    assert web.mac == "02:00:5E:10:00:01"
    assert web.hostnames == ["www.example.org", "web1.example.net"]
    assert web.get_open_ports() == [(22, "tcp"), (8080, "tcp")]
    assert web.get_service(110, "tcp").reason == "admin-prohibited"
    assert report.hosts[3].status == "down"


def test_python_nmap_reads_it() -> None:
    scanner = read_by_python_nmap(document(OutputPlan(verbosity=1), *whole_scan(1)))
    assert scanner.command_line().startswith("leadline -sS")
    assert scanner.scanstats()["uphosts"] == "3"
    assert scanner.scaninfo()["tcp"]["method"] == "syn"
    assert "2001:db8::9" in scanner.all_hosts()
    assert scanner["10.0.0.1"]["tcp"][22]["name"] == "ssh"
    assert scanner["10.0.0.1"]["tcp"][25]["state"] == "filtered"
    assert scanner["10.0.0.1"].state() == "up"
    assert scanner["10.0.0.1"]["vendor"] == {"02:00:5E:10:00:01": "Example & Sons"}


def test_hostile_names_arrive_as_text() -> None:
    root = validated(document(OutputPlan(), *whole_scan()))
    names = [name.get("name") for name in root.iter("hostname")]
    assert HOSTILE_NAME.replace("\x1b", "\\x1b") in names


def test_tasks_only_with_verbosity() -> None:
    quiet = validated(document(OutputPlan(), *whole_scan()))
    assert {child.tag for child in quiet} == {
        "scaninfo",
        "verbose",
        "debugging",
        "target",
        "hosthint",
        "host",
        "runstats",
    }
    loud = validated(document(OutputPlan(verbosity=1), *whole_scan(1)))
    assert [task.get("task") for task in loud.iter("taskend")] == ["Ping Scan", "SYN Stealth Scan"]
    assert len(loud.findall("taskbegin")) == 2


def test_progress_when_due_or_asked() -> None:
    progress = TaskProgress(3.0, "SYN Stealth Scan", 12.345, 10.5, 0, 0, 0.0)
    every = validated(document(OutputPlan(stats_every=3.0), START, progress, END))
    assert dict(every.find("taskprogress").attrib) == {
        "task": "SYN Stealth Scan",
        "time": "1795436747",
        "percent": "12.35",
        "remaining": "10",
        "etc": "1795436757",
    }
    report = XmlDocument(OutputPlan())
    report.feed(START)
    assert report.feed(progress) == ""
    report.request_status()
    assert "<taskprogress" in report.feed(replace(progress, remaining=None))


def test_down_hosts_only_with_verbosity() -> None:
    assert document(OutputPlan(), START, HostDone(1.0, down_host())).count("<host>") == 0
    assert document(OutputPlan(verbosity=1), START, HostDone(1.0, down_host())).count("<host>") == 1


def test_an_error_before_the_start_still_gives_a_document() -> None:
    end = ScanEnded(0.0, STARTED, "error", "No such interface")
    root = validated(document(OutputPlan(), Notice(0.0, "info", "x"), end))
    assert root.get("start") == "1795436744"
    assert root.find("runstats/finished").get("errormsg") == "No such interface"


def test_nothing_follows_the_end() -> None:
    report = XmlDocument(OutputPlan())
    for event in (START, END):
        report.feed(event)
    assert report.feed(END) == ""
    assert report.feed(START) == ""
    assert report.feed(HostDone(9.0, down_host())) == ""


def test_a_second_start_is_left_out() -> None:
    report = XmlDocument(OutputPlan())
    assert report.feed(START)
    assert report.feed(START) == ""


def test_stylesheet() -> None:
    text = document(OutputPlan(stylesheet="file:///x/leadline.xsl"), ScanStarted(STARTED, "0.1.0", ()))
    assert '<?xml-stylesheet href="file:///x/leadline.xsl" type="text/xsl"?>\n' in text
    assert "xml-stylesheet" not in document(OutputPlan(), START)


def test_unknown_reason_is_a_word_too() -> None:
    unknown = replace(down_host(), address=WEB, reason=Reason.UNKNOWN_RESPONSE)
    assert 'reason="unknown-response"' in document(OutputPlan(verbosity=1), START, HostDone(1.0, unknown))


def test_services_as_others_read_them() -> None:
    text = document(OutputPlan(verbosity=1, versions=True), *services_scan(1))
    root = validated(text)
    assert [task.get("task") for task in root.iter("taskbegin")] == ["Service scan"]
    host = read_by_libnmap(text).hosts[0]
    assert host.get_service(22, "tcp").banner == (
        "product: OpenSSH version: 9.2p1 Debian 2+deb12u3 extrainfo: protocol 2.0 ostype: Linux"
    )
    assert [name.cpestring for name in host.get_service(22, "tcp").cpelist] == [
        "cpe:/a:openbsd:openssh:9.2p1",
        "cpe:/o:linux:linux_kernel",
    ]
    assert host.get_service(443, "tcp").tunnel == "ssl"
    assert host.get_service(9000, "tcp").servicefp == FINGERPRINT
    ports = read_by_python_nmap(text)["10.0.0.20"]["tcp"]
    assert (ports[443]["product"], ports[443]["version"]) == ("nginx", "1.22.1")
    assert ports[22]["cpe"] == "cpe:/o:linux:linux_kernel"
    assert (ports[9001]["name"], ports[9001]["conf"]) == ("tcpwrapped", "8")
