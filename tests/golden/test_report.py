"""One scan in every format, against texts that were read and approved. ``UPDATE_GOLDEN=1`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leadline.model.plan import OutputPlan
from leadline.report.grepable import Grepable
from leadline.report.json_lines import JsonLines
from leadline.report.sink import Report
from leadline.report.text import ErrorText, NormalText
from leadline.report.xml_doc import XmlDocument
from tests.support.report_events import whole_scan
from tests.support.service_events import services_scan
from tests.support.timezone import utc

__all__ = ["utc"]  # the fixture

FOLDER = Path(__file__).parent / "report"
QUIET = OutputPlan(stylesheet="https://leadline.example/leadline.xsl")
VERBOSE = OutputPlan(verbosity=1, packet_trace=True)
VERY_VERBOSE = OutputPlan(verbosity=2, reason=True)
DEBUG = OutputPlan(verbosity=1, debugging=1, reason=True)
OPEN_ONLY = OutputPlan(open_only=True)

REPORTS: dict[str, Report] = {
    "terminal.txt": NormalText(QUIET),
    "terminal-v.txt": NormalText(VERBOSE),
    "terminal-vv.txt": NormalText(VERY_VERBOSE),
    "terminal-d.txt": NormalText(DEBUG),
    "terminal-open.txt": NormalText(OPEN_ONLY),
    "terminal-colour.txt": NormalText(QUIET, colour=True),
    "errors.txt": ErrorText(QUIET),
    "normal.txt": NormalText(QUIET, file=True),
    "normal-v.txt": NormalText(VERBOSE, file=True),
    "quiet.xml": XmlDocument(QUIET),
    "verbose.xml": XmlDocument(VERBOSE),
    "open.xml": XmlDocument(OPEN_ONLY),
    "grepable.txt": Grepable(QUIET),
    "grepable-v.txt": Grepable(VERBOSE),
    "grepable-open.txt": Grepable(OPEN_ONLY),
    "events.jsonl": JsonLines(QUIET),
}


VERSIONS = OutputPlan(versions=True)
VERSIONS_VERBOSE = OutputPlan(versions=True, verbosity=1)
VERSIONS_DEBUG = OutputPlan(versions=True, verbosity=2, debugging=2, reason=True)

OF_SERVICES: dict[str, Report] = {
    "services.txt": NormalText(VERSIONS),
    "services-v.txt": NormalText(VERSIONS_VERBOSE),
    "services-dd.txt": NormalText(VERSIONS_DEBUG),
    "services.nmap": NormalText(VERSIONS, file=True),
    "services.xml": XmlDocument(VERSIONS_VERBOSE),
    "services.gnmap": Grepable(VERSIONS),
    "services.jsonl": JsonLines(VERSIONS),
}


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("name", [*REPORTS, *OF_SERVICES])
def test_scan_reads_as_approved(name: str) -> None:
    report, scan = (REPORTS[name], whole_scan) if name in REPORTS else (OF_SERVICES[name], services_scan)
    text = "".join(report.feed(event) for event in scan(report.plan.verbosity, report.plan.debugging))
    golden = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_golden_text_is_compared() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*REPORTS, *OF_SERVICES}
