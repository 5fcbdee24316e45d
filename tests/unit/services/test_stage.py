"""Whole scans with version detection over the simulated network."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from leadline.model.event import ServiceTraced, TaskEnded, TaskStarted
from leadline.model.port import Port
from leadline.model.service import Certificate
from leadline.services.stage import EXCLUDED, TASK
from leadline.sim.speech import Pour, Reply, SimTls, Then
from leadline.sim.world import SimHost, SimService, World, ports, simple_world
from tests.support.playbook import RULES
from tests.support.sim_scan import SimScan, sim_scan

NGINX = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\nhello"
SSH = SimService(22, banner=b"SSH-2.0-OpenSSH_9.2\r\n")
WEB = SimService(80, answers=(Reply(b"GET /", NGINX, Then.CLOSE),))


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "rules"
    path.write_bytes(RULES)
    return str(path)


def world(*services: SimService, hosts: int = 1, also: tuple[int, ...] = ()) -> World:
    numbers = {service.port for service in services} | set(also)
    return simple_world(
        SimHost(addresses=(ip_address("10.0.0.1") + host,), tcp=ports(*numbers), services=services)
        for host in range(hosts)
    )


def versions(made: World, rules: str, *, targets: str = "10.0.0.1", **options: object) -> SimScan:
    given = {"versions": True, "versiondb": rules, "skip_discovery": True, "ports": "1-10000"} | options
    return sim_scan(made, targets, **given)


def port(scan: SimScan, number: int, address: str = "10.0.0.1") -> Port:
    return next(port for port in scan.host(address).ports if port.number == number)


def test_services_are_told_with_their_evidence(rules: str) -> None:
    scan = versions(world(SSH, WEB, also=(7777,)), rules)
    ssh, web, silent = (port(scan, number).service for number in (22, 80, 7777))
    assert ssh is not None
    assert web is not None
    assert silent is not None
    assert (ssh.product, ssh.version) == ("OpenSSH", "9.2")
    assert (web.product, web.version) == ("nginx", "1.22.1")
    assert (silent.method, silent.confidence) == ("table", 3)
    assert web.evidence is not None
    assert web.evidence.rule.endswith("rules:18")
    assert [exchange.probe for exchange in web.evidence.exchanges] == ["NULL", "GetRequest"]
    (started,) = [event for event in scan.of(TaskStarted) if event.task == TASK]
    assert started.detail == "3 services on 1 host"
    assert [event.task for event in scan.of(TaskEnded)][-1] == TASK
    assert scan.host("10.0.0.1").interrupted == ""


def test_a_web_port_does_not_wait_for_a_banner(rules: str) -> None:
    scan = versions(world(SSH, WEB), rules, ports="22,80")
    assert scan.seconds < 1.0


def test_many_hosts_at_once(rules: str) -> None:
    scan = versions(world(SSH, WEB, hosts=30), rules, targets="10.0.0.1-30", ports="22,80")
    assert len(scan.hosts) == 30
    for host in scan.hosts.values():
        assert [one.service.product for one in host.ports if one.service] == ["OpenSSH", "nginx"]
    assert scan.seconds < 3.0


def test_tls_is_spoken_and_its_certificate_told(rules: str) -> None:
    certificate = Certificate(subject="CN=www.example", names=("www.example",))
    https = SimService(443, answers=WEB.answers, tls=SimTls(certificate))
    service = port(versions(world(https), rules), 443).service
    assert service is not None
    assert (service.tunnel, service.product) == ("ssl", "nginx")
    assert service.tls is not None
    assert service.tls.certificate == certificate


def test_excluded_ports_are_left_alone_unless_all_are_wanted(rules: str) -> None:
    printer = SimService(9100, banner=b"SSH-2.0-OpenSSH_9.2\r\n")
    left = port(versions(world(printer), rules), 9100).service
    assert left is not None
    assert (left.product, left.method) == (EXCLUDED, "table")
    asked = port(versions(world(printer), rules, allports=True), 9100).service
    assert asked is not None
    assert asked.product == "OpenSSH"


def test_wrapped_ports(rules: str) -> None:
    scan = versions(world(SimService(80, after_banner=Then.CLOSE), SimService(7777, after_banner=Then.RESET)), rules)
    assert [one.service.name for one in scan.host("10.0.0.1").ports if one.service] == ["tcpwrapped"] * 2


def test_a_server_that_serves_one_at_a_time_is_recognised(rules: str) -> None:
    single = SimService(80, answers=WEB.answers, workers=1)
    service = port(versions(world(single), rules), 80).service
    assert service is not None
    assert service.product == "nginx"


def test_hostile_services_are_bounded_and_harm_no_other(rules: str) -> None:
    drip = SimService(7001, banner=b"x", pours=Pour(b"x"))
    flood = SimService(7002, banner=b"x", pours=Pour(b"y" * 60_000, every=0.0))
    mute = SimService(7003)
    scan = versions(world(SSH, drip, flood, mute), rules)
    assert port(scan, 22).service is not None
    assert scan.seconds < 60
    for number in (7001, 7002, 7003):
        service = port(scan, number).service
        assert service is not None
        assert service.evidence is not None
        assert sum(len(exchange.received) for exchange in service.evidence.exchanges) < 50_000


def test_each_step_is_told_when_asked(rules: str) -> None:
    scan = versions(world(SSH), rules, version_trace=True)
    texts = [event.text for event in scan.of(ServiceTraced)]
    assert texts[0] == "NULL: connecting"
    assert any(text.startswith("match:") for text in texts)
    assert not versions(world(SSH), rules).of(ServiceTraced)


def test_a_cut_scan_keeps_what_is_known(rules: str) -> None:
    def cut(event: object, control: object) -> None:
        if isinstance(event, TaskStarted) and event.task == TASK:
            control.stop = "SIGINT"  # type: ignore[attr-defined]

    scan = versions(world(SSH, WEB), rules, watch=cut)
    host = scan.host("10.0.0.1")
    assert host.interrupted == TASK
    assert [one.number for one in host.ports if one.state.label == "open"] == [22, 80]
    assert scan.ended.exit == "interrupted"


def test_a_host_that_takes_too_long_is_given_as_it_is(rules: str) -> None:
    scan = versions(world(SSH, also=(7777,)), rules, host_timeout=3.0)
    host = scan.host("10.0.0.1")
    assert (host.interrupted, host.timed_out) == (TASK, True)
    service = port(scan, 22).service
    assert service is not None
    assert service.product == "OpenSSH"
    assert scan.ended.exit == "success"


def test_patience_gives_the_same_verdicts(rules: str) -> None:
    made = world(SSH, WEB, SimService(2121, banner=b"220 an FTP server\r\n"), also=(7777,))
    eager, patient = versions(made, rules), versions(made, rules, patient=True)
    for number in (22, 80, 2121, 7777):
        first, second = port(eager, number).service, port(patient, number).service
        assert first is not None
        assert second is not None
        assert (first.name, first.product, first.version) == (second.name, second.product, second.version)
    assert patient.seconds > eager.seconds


def test_each_host_has_its_own_time(rules: str) -> None:
    """Hosts whose turn comes late are not timed out with the first ones."""
    made = world(SSH, also=(7777,), hosts=4)
    scan = versions(made, rules, targets="10.0.0.1-4", ports="22,7777", host_timeout=4.0, max_parallelism=4)
    assert len(scan.hosts) == 4
    for host in scan.hosts.values():
        assert host.timed_out
        assert next(one.service.product for one in host.ports if one.service) == "OpenSSH"
