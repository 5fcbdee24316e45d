"""Whatever a host is called and whatever answered, every report of it stays well-formed."""

from __future__ import annotations

import json
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    Notice,
    ScanEnded,
    ScanStarted,
    ServiceTraced,
    TargetSkipped,
)
from leadline.model.evidence import Evidence
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.service import Certificate, Exchange, Service, ServiceEvidence, TlsFacts
from leadline.report.grepable import Grepable
from leadline.report.json_lines import JsonLines
from leadline.report.text import ErrorText, NormalText
from leadline.report.view import merge, port_view
from leadline.report.xml_doc import XmlDocument
from tests.support.json_schema import problems
from tests.support.nmap_xml import read_by_libnmap, read_by_python_nmap, validated

anything = st.text(st.characters(codec=None, categories=None), max_size=12)
addresses = st.one_of(
    st.builds(IPv4Address, st.integers(0, 2**32 - 1)), st.builds(IPv6Address, st.integers(0, 2**128 - 1))
)
seconds = st.floats(0, 1e9)
measured = st.one_of(st.none(), st.floats(0, 100))
small = st.integers(0, 255)
evidences = st.one_of(
    st.none(),
    st.builds(
        Evidence, anything, small, small, anything, st.one_of(st.none(), addresses), small, measured, seconds, anything
    ),
)
some_bytes = st.binary(max_size=12)
tunnels = st.sampled_from(["", "ssl"])
exchanges = st.builds(
    Exchange, anything, some_bytes, some_bytes, st.integers(0, 10**9), seconds, st.floats(0, 100), anything, tunnels
)
service_evidences = st.builds(ServiceEvidence, st.lists(exchanges, max_size=2).map(tuple), anything, anything)
moments = st.one_of(st.none(), st.floats())
certificates = st.builds(
    Certificate, anything, anything, st.lists(anything, max_size=6).map(tuple), moments, moments, st.booleans(),
    anything, anything,
)  # fmt: skip
handshakes = st.builds(TlsFacts, anything, anything, st.one_of(st.none(), certificates), anything)
services = st.one_of(
    st.none(),
    st.builds(Service, anything),
    st.builds(
        Service, anything, st.sampled_from(["table", "probed"]), st.integers(0, 10), anything, anything, anything,
        anything, anything, anything, st.lists(anything, max_size=2).map(tuple), tunnels, anything,
        st.one_of(st.none(), handshakes), st.one_of(st.none(), service_evidences),
    ),
)  # fmt: skip
protocols = st.sampled_from([Protocol.TCP, Protocol.UDP, Protocol.SCTP])
states, reasons = st.sampled_from(list(PortState)), st.sampled_from(list(Reason))
ports = st.builds(
    Port, st.integers(1, 999), protocols, states, reasons, small, st.one_of(st.none(), addresses), services, evidences
)


@st.composite
def summaries(draw: st.DrawFn) -> PortSummary:
    pairs = draw(st.lists(st.tuples(st.integers(1000, 1100), st.integers(0, 60)), min_size=1, max_size=3))
    ranges = merge((first, first + more) for first, more in pairs)
    count = sum(last - first + 1 for first, last in ranges)
    return PortSummary(draw(protocols), draw(states), draw(reasons), ranges, count)


hosts = st.builds(
    Host,
    addresses,
    st.sampled_from(list(HostStatus)),
    reasons,
    small,
    st.one_of(st.none(), addresses),
    st.lists(st.builds(Hostname, anything, st.sampled_from(["user", "PTR"])), max_size=2).map(tuple),
    st.lists(addresses, max_size=2).map(tuple),
    st.sampled_from(["", "02:00:00:00:00:01"]),
    anything,
    measured,
    measured,
    measured,
    seconds,
    seconds,
    evidences,
    st.lists(ports, max_size=40, unique_by=lambda port: (port.protocol, port.number)).map(
        lambda some: tuple(sorted(some, key=lambda port: (port.protocol, port.number)))
    ),
    st.lists(summaries(), max_size=2, unique_by=lambda summary: summary.protocol).map(tuple),
    anything,
    st.booleans(),
)
plans = st.builds(
    OutputPlan,
    verbosity=st.integers(0, 3),
    debugging=st.integers(0, 3),
    reason=st.booleans(),
    open_only=st.booleans(),
    versions=st.booleans(),
)


@cache
def line_schema() -> dict[str, Any]:
    path = Path(__file__).parents[2] / "docs" / "reference" / "json-lines.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


@st.composite
def scans(draw: st.DrawFn) -> list[Event]:
    host = draw(hosts)
    return [
        ScanStarted(draw(seconds), "0.1.0", tuple(draw(st.lists(anything, max_size=3)))),
        Notice(0.0, draw(st.sampled_from(["info", "warning", "error", "debug"])), draw(anything)),
        TargetSkipped(0.0, draw(anything), draw(anything)),
        HostFound(0.0, host.address, host.reason, host.reason_ttl, host.mac, host.vendor, host.hostnames),
        ServiceTraced(0.5, host.address, draw(st.integers(0, 65535)), draw(protocols), draw(anything)),
        HostDone(1.0, host),
        ScanEnded(2.0, draw(seconds), draw(st.sampled_from(["success", "interrupted", "error"])), draw(anything)),
    ]


@settings(max_examples=60)
@given(scans(), plans)
def test_xml_is_valid_and_readable(events: list[Event], plan: OutputPlan) -> None:
    report = XmlDocument(plan)
    document = "".join(report.feed(event) for event in events)
    assert all(line.isprintable() for line in document.split("\n"))
    validated(document)
    assert len(read_by_libnmap(document).hosts) == document.count("<host ") + document.count("<host>")
    read_by_python_nmap(document)


@settings(max_examples=60)
@given(scans(), plans, st.booleans())
def test_text_has_no_lines_but_ours(events: list[Event], plan: OutputPlan, file: bool) -> None:
    for report in (NormalText(plan, file=file), ErrorText(plan), Grepable(plan)):
        text = "".join(report.feed(event) for event in events)
        allowed = text.replace("\t", "") if isinstance(report, Grepable) else text
        assert all(line.isprintable() for line in allowed.split("\n"))
        assert text == "" or text.endswith("\n")


@settings(max_examples=60)
@given(hosts, plans)
def test_grepable_fields_are_ours(host: Host, plan: OutputPlan) -> None:
    for line in Grepable(plan).feed(HostDone(1.0, host)).splitlines():
        head, field, *more = line.split("\t")
        assert head.startswith(f"Host: {host.address} (")
        assert field.split(": ")[0] in ("Status", "Ports", "Incomplete")
        assert [name.split(": ")[0] for name in more] in ([], ["Ignored State"])


@settings(max_examples=60)
@given(scans())
def test_json_fits_its_schema(events: list[Event]) -> None:
    report = JsonLines(OutputPlan())
    for event in events:
        assert list(problems(json.loads(report.feed(event)), line_schema())) == []


@given(hosts, plans)
def test_no_port_is_lost_or_told_twice(host: Host, plan: OutputPlan) -> None:
    view = port_view(host, plan)
    told = [(port.protocol, port.number) for port in view.shown]
    for group in view.ignored:
        told += [(group.protocol, number) for first, last in group.ranges for number in range(first, last + 1)]
    known = {(port.protocol, port.number) for port in host.ports}
    for summary in host.summaries:
        known |= {(summary.protocol, number) for first, last in summary.ranges for number in range(first, last + 1)}
    assert sorted(told) == sorted(known)
    assert view.total == len(known)
    assert [(port.protocol, port.number) for port in view.shown] == sorted(
        (port.protocol, port.number) for port in view.shown
    )
