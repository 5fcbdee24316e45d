from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest

from leadline.model.event import Event, HostDone, TimingDecision
from leadline.model.plan import OutputPlan
from leadline.model.swept import HostsSwept
from leadline.report.json_lines import EVENT_NAMES, SCHEMA, JsonLines, event_object
from tests.support.json_schema import problems
from tests.support.report_events import HOSTILE_NAME, WEB, cut_host, silent_host, web_host, whole_scan
from tests.support.service_events import SSH_BANNER, server, services_scan

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
LINE_SCHEMA: dict[str, Any] = json.loads((REFERENCE / "json-lines.schema.json").read_text(encoding="utf-8"))


def line_of(event: Event) -> str:
    return JsonLines(OutputPlan()).feed(event)


@pytest.mark.parametrize("event", [*whole_scan(), *services_scan()], ids=lambda event: type(event).__name__)
def test_every_event_is_one_ascii_line_of_the_schema(event: Event) -> None:
    line = line_of(event)
    assert line.endswith("\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    value = json.loads(line)
    assert value["event"] == EVENT_NAMES[type(event)]
    assert list(problems(value, LINE_SCHEMA)) == []


def test_every_kind_of_event_has_a_name_a_definition_and_a_line_in_the_reference() -> None:
    # Hosts of a sweep are told one by one, as ``host_done``.
    assert set(EVENT_NAMES) == set(get_args(Event)) - {HostsSwept}
    assert [choice["$ref"] for choice in LINE_SCHEMA["oneOf"]] == [f"#/$defs/{name}" for name in EVENT_NAMES.values()]
    page = (REFERENCE / "json-lines.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip(" `"): row for row in page.splitlines() if row.startswith("| `")}
    del rows["event"]  # the head of the table
    assert rows.keys() == set(EVENT_NAMES.values())
    for name, row in rows.items():
        named = set(row.split("|")[3].replace("`", "").split())
        assert named == set(LINE_SCHEMA["$defs"][name]["required"]) - {"event"}, name


def assert_complete(value: object, written: Any) -> None:
    """Every field of every dataclass inside ``value`` is a key of its object."""
    if isinstance(value, bytes):
        assert written.encode("latin-1") == value
    elif isinstance(value, tuple):
        for element, other in zip(value, written, strict=True):
            assert_complete(element, other)
    elif is_dataclass(value) and written is not None:
        # What a port answered to the port scan is kept for version detection only, which tells it as evidence.
        told = [field for field in fields(value) if field.name != "heard"]
        assert {field.name for field in told} == written.keys() - {"event", "schema"}
        for field in told:
            assert_complete(getattr(value, field.name), written[field.name])


@pytest.mark.parametrize("event", [*whole_scan(), *services_scan()], ids=lambda event: type(event).__name__)
def test_no_field_is_left_out(event: Event) -> None:
    assert_complete(event, event_object(event))


def test_first_line_names_the_vocabulary() -> None:
    assert line_of(whole_scan()[0]).startswith(f'{{"event":"scan_started","schema":"{SCHEMA}","started":1795436744.25,')


def test_ports_and_summaries() -> None:
    host = json.loads(line_of(HostDone(42.0, web_host())))["host"]
    assert host["status"] == "up"
    assert host["ports"][0]["service"]["name"] == "ssh"
    assert host["ports"][0]["evidence"]["responder"] == "10.0.0.1"
    assert host["ports"][2]["reason_address"] == "10.0.0.254"
    assert host["ports"][2]["evidence"] is None
    assert host["summaries"] == [
        {"protocol": "tcp", "state": "closed", "reason": "reset", "ranges": [[1, 21], [2000, 2974]], "count": 996}
    ]


def test_nothing_is_left_out_for_the_plan_s_sake() -> None:
    hidden = JsonLines(OutputPlan(open_only=True)).feed(HostDone(42.0, silent_host()))
    assert hidden == line_of(HostDone(42.0, silent_host()))


def test_hostile_names_are_kept_as_escapes() -> None:
    line = line_of(HostDone(1.0, cut_host()))
    assert "\x1b" not in line
    assert json.loads(line)["host"]["hostnames"][0]["name"] == HOSTILE_NAME


def test_lone_surrogates_can_be_written() -> None:
    assert "\\ud800" in line_of(HostDone(1.0, replace(web_host(), vendor="\ud800")))


def test_numbers_that_json_lacks_become_null() -> None:
    value = json.loads(line_of(TimingDecision(1.0, WEB, "limit", "", float("inf"), 3.0)))
    assert (value["old"], value["new"]) == (None, 3.0)
    host = json.loads(line_of(HostDone(1.0, replace(web_host(), latency=float("nan")))))["host"]
    assert host["latency"] is None
    assert host["ports"][0]["number"] == 22


def test_the_schema_refuses_what_is_wrong() -> None:
    good = json.loads(line_of(HostDone(42.0, web_host())))
    for path, bad in (("status", "sleeping"), ("reason_ttl", "64"), ("ports", [1]), ("latency", "1s")):
        assert list(problems({**good, "host": {**good["host"], path: bad}}, LINE_SCHEMA)) != []
    assert list(problems({**good, "surprise": 1}, LINE_SCHEMA)) != []
    assert list(problems({key: good[key] for key in ("event", "at")}, LINE_SCHEMA)) != []


def test_services_with_the_bytes_of_their_dialogues() -> None:
    host = json.loads(line_of(HostDone(9.0, server())))["host"]
    services = {port["number"]: port["service"] for port in host["ports"]}
    exchange = services[22]["evidence"]["exchanges"][0]
    assert exchange["received"].encode("latin-1") == SSH_BANNER
    assert services[443]["tls"]["certificate"]["issuer"] == "CN=Example Issuer"
    assert services[3000]["evidence"] is None
    assert services[9100] is None
