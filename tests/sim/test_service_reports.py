"""Whole scans of services, good and hostile ones, in every format."""

from __future__ import annotations

import json
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import leadline
from leadline.model.address import Address
from leadline.model.event import Event, HostDone, ServiceTraced
from leadline.model.plan import OutputPlan
from leadline.report.grepable import Grepable
from leadline.report.json_lines import JsonLines
from leadline.report.text import ErrorText, NormalText
from leadline.report.xml_doc import XmlDocument
from leadline.sim.hostile import hostile_services
from leadline.sim.network import SimNetwork
from leadline.sim.services import certificate, https, silent, smtp, ssh, wrapped
from leadline.sim.speech import SimTls
from leadline.sim.world import SimHost, SimService, ports, simple_world
from tests.support.json_schema import problems
from tests.support.nmap_xml import read_by_libnmap, validated

GOOD, HOSTILE = ip_address("10.0.0.5"), ip_address("10.0.0.6")
SHOWN = certificate("www.example.org", "example.org")
SERVICES = (
    ssh(22, "OpenSSH_9.2p1 Debian-2+deb12u3"),
    smtp(25, "mail.example.org", "Postfix", start_tls=SimTls(certificate=SHOWN)),
    https(443, "nginx/1.22.1", SHOWN),
    silent(5000),
    wrapped(9001),
)


def behind(address: Address, name: str, services: tuple[SimService, ...]) -> SimHost:
    return SimHost((address,), hostname=name, tcp=ports(*(one.port for one in services)), services=services)


WORLD = simple_world([behind(GOOD, "www.example.org", SERVICES), behind(HOSTILE, "evil.example", hostile_services())])
SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "json-lines.schema.json").read_text(encoding="utf-8")
)


@cache
def events() -> tuple[Event, ...]:
    network = SimNetwork(WORLD, seed=3)
    return tuple(
        leadline.scan(
            "10.0.0.5-6",
            ports="22,25,443,5000,9001,6001-6030",
            seed=3,
            versions=True,
            version_trace=True,
            verbosity=1,
            network=network,
            resolver=network.resolver(),
        )
    )


def host(address: object) -> leadline.Host:
    return next(event.host for event in events() if isinstance(event, HostDone) and event.host.address == address)


def exchanges() -> int:
    """Of all services of both hosts."""
    proofs = [port.service.evidence for one in (GOOD, HOSTILE) for port in host(one).ports if port.service is not None]
    return sum(len(proof.exchanges) for proof in proofs if proof is not None)


PLANS = [
    OutputPlan(versions=True),
    OutputPlan(versions=True, verbosity=1, reason=True),
    OutputPlan(versions=True, debugging=2, verbosity=2),
]


@pytest.mark.parametrize("plan", PLANS)
def test_text_has_no_lines_but_ours(plan: OutputPlan) -> None:
    for report in (NormalText(plan), NormalText(plan, file=True), ErrorText(plan), Grepable(plan)):
        text = "".join(report.feed(event) for event in events() if not isinstance(event, ServiceTraced))
        allowed = text.replace("\t", "") if isinstance(report, Grepable) else text
        assert all(line.isprintable() for line in allowed.split("\n"))
        # Megabytes were said, which is not what anybody wants to read.
        assert len(text) < 60_000 + 700 * exchanges()


def test_xml_is_valid_and_read_by_others() -> None:
    report = XmlDocument(PLANS[1])
    document = "".join(report.feed(event) for event in events())
    validated(document)
    hosts = {one.address: one for one in read_by_libnmap(document).hosts}
    assert hosts["10.0.0.5"].get_service(22, "tcp").service_dict["product"] == "OpenSSH"
    assert hosts["10.0.0.5"].get_service(9001, "tcp").service == "tcpwrapped"
    assert len(hosts["10.0.0.6"].get_open_ports()) == len(hostile_services())


def test_json_lines_fit_their_schema_and_keep_the_bytes() -> None:
    report = JsonLines(PLANS[0])
    for event in events():
        assert list(problems(json.loads(report.feed(event)), SCHEMA)) == []
    written = json.loads(report.feed(HostDone(9.0, host(GOOD))))["host"]["ports"]
    service = next(port["service"] for port in written if port["number"] == 22)
    proof = next(port.service.evidence for port in host(GOOD).ports if port.number == 22 and port.service is not None)
    assert proof is not None
    received = [exchange.received for exchange in proof.exchanges]
    assert [one["received"].encode("latin-1") for one in service["evidence"]["exchanges"]] == received
    assert any(data.startswith(b"SSH-2.0-OpenSSH_9.2p1") for data in received)


def test_people_read_versions_and_what_tls_says() -> None:
    block = NormalText(PLANS[1]).feed(HostDone(9.0, host(GOOD)))
    rows = {line.split("/")[0]: line for line in block.splitlines() if "/tcp" in line}
    assert "OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)" in rows["22"]
    assert "tcpwrapped" in rows["9001"]
    assert "?" in rows["5000"]
    assert "Certificate: for www.example.org, example.org; self-signed" in block


def test_each_step_is_told_when_it_was_asked_for() -> None:
    steps = [event for event in events() if isinstance(event, ServiceTraced) and event.address == GOOD]
    assert {step.port for step in steps} == {22, 25, 443, 5000, 9001}
    terminal = NormalText(PLANS[0])
    assert all(terminal.feed(step).startswith("SERVICE (") for step in steps)
