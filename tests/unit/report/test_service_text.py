from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, Protocol, Reason
from leadline.model.service import Certificate, Service, ServiceEvidence, TlsFacts
from leadline.report.service_text import (
    LONGEST_VERSION,
    certificate_words,
    dialogue_lines,
    first_bytes,
    service_cell,
    service_info,
    tls_lines,
    unrecognised_lines,
    version_cell,
    version_words,
    wrapped,
)
from tests.support.report_events import STARTED
from tests.support.service_events import CERTIFICATE, FINGERPRINT, hostile, mail, server, ssh, unknown, web


def at_port(service: Service | None, state: PortState = PortState.OPEN, number: int = 80) -> Port:
    return Port(number, Protocol.TCP, state, Reason.SYN_ACK, service=service)


@pytest.mark.parametrize(
    ("service", "state", "asked", "not_asked"),
    [
        (None, PortState.OPEN, "unknown", "unknown"),
        (Service(""), PortState.OPEN, "unknown", "unknown"),
        (Service("unknown"), PortState.OPEN, "unknown", "unknown"),
        (Service("ppp"), PortState.OPEN, "ppp?", "ppp"),
        (Service("ppp"), PortState.OPEN_FILTERED, "ppp?", "ppp"),
        (Service("ppp"), PortState.CLOSED, "ppp", "ppp"),
        (Service("ppp", "probed", 5), PortState.OPEN, "ppp?", "ppp"),
        (Service("tcpwrapped", "probed", 8), PortState.OPEN, "tcpwrapped", "tcpwrapped"),
        (Service("http", "probed", 10, tunnel="ssl"), PortState.OPEN, "ssl/http", "ssl/http"),
        (Service("https", tunnel="ssl"), PortState.OPEN, "ssl/https?", "ssl/https"),
        (Service("unknown", tunnel="ssl"), PortState.OPEN, "ssl/unknown", "ssl/unknown"),
    ],
)
def test_the_cell_of_a_service(service: Service | None, state: PortState, asked: str, not_asked: str) -> None:
    assert service_cell(at_port(service, state), True) == asked
    assert service_cell(at_port(service, state), False) == not_asked


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (None, ""),
        (Service("x"), ""),
        (Service("x", product="P"), "P"),
        (Service("x", version="1"), "1"),
        (Service("x", extrainfo="e"), "(e)"),
        (Service("x", product="P", extrainfo="e"), "P (e)"),
        (ssh(), "OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)"),
    ],
)
def test_versions(service: Service | None, words: str) -> None:
    assert version_words(service) == words
    assert version_cell(at_port(service)) == words


def test_long_versions_are_cut_in_the_table_only() -> None:
    service = Service("x", product="P" * 80, version="1" * 80, extrainfo="e")
    cell = version_cell(at_port(service))
    assert len(cell) == LONGEST_VERSION
    assert cell.endswith("1...")
    assert len(version_words(service)) == 165
    fits = replace(service, version="1" * 75)
    assert version_cell(at_port(fits)) == version_words(fits)


def test_service_info() -> None:
    assert service_info([at_port(None), at_port(Service("x"))]) == []
    assert service_info([at_port(ssh())]) == ["Service Info: OS: Linux; CPE: cpe:/o:linux:linux_kernel"]
    assert service_info([at_port(ssh()), at_port(ssh()), at_port(mail())]) == [
        "Service Info: Host: mail.example.org; OS: Linux; Device: general purpose; CPE: cpe:/o:linux:linux_kernel"
    ]
    (line,) = service_info([at_port(ssh()), at_port(web()), at_port(mail()), at_port(replace(mail(), ostype="Unix"))])
    assert line.startswith("Service Info: Hosts: www.example.org, mail.example.org; OSs: Linux, Unix; Device: general")
    table = Service("x", "table", 3, hostname="a")  # nobody said that
    assert service_info([at_port(table)]) == []


def test_service_info_names_five_of_a_kind() -> None:
    ports = [at_port(Service("x", "probed", 10, hostname=f"h{number}")) for number in range(9)]
    assert service_info(ports) == ["Service Info: Hosts: h0, h1, h2, h3, h4"]


def test_unrecognised_services() -> None:
    assert unrecognised_lines([at_port(None), at_port(ssh())]) == []
    lines = unrecognised_lines([at_port(unknown())])
    assert lines[0] == "1 service answered with what no rule recognises fully; its answers as a fingerprint:"
    assert lines[1].startswith("SF-Port9000-TCP:")
    assert "".join([lines[1], *(line.removeprefix("SF:") for line in lines[2:])]) == FINGERPRINT
    lines = unrecognised_lines([at_port(Service("x", fingerprint=f"SF-Port{number};")) for number in range(12)])
    assert lines[0].startswith("12 services answered")
    assert lines[1:] == [*(f"SF-Port{number};" for number in range(9)), "(3 fingerprints more in XML and JSON.)"]


@given(st.text(alphabet="ab", min_size=1, max_size=400))
def test_wrapping_can_be_undone(text: str) -> None:
    lines = wrapped(text)
    assert max(map(len, lines)) <= 74
    assert all(line.startswith("SF:") and len(line) > 3 for line in lines[1:])
    assert lines[0] + "".join(line[3:] for line in lines[1:]) == text


def test_tls() -> None:
    assert tls_lines(None, STARTED) == []
    assert tls_lines(ssh(), STARTED) == []
    assert tls_lines(replace(web(), tls=TlsFacts("TLSv1.3", "")), STARTED) == ["    TLS: TLSv1.3"]
    assert tls_lines(mail(), STARTED) == [
        "    TLS: TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 after smtp STARTTLS",
        "    Certificate: cannot be read (no ASN.1)",
    ]
    lines = tls_lines(replace(web(), tls=TlsFacts("\x1b[2J", "\n", Certificate("\u202e"))), STARTED)
    assert all(line.isprintable() for line in lines)


YEAR = 365 * 86400.0


@pytest.mark.parametrize(
    ("certificate", "when", "words"),
    [
        (
            CERTIFICATE,
            STARTED,
            "for www.example.org, example.org, a.example.org, b.example.org and 1 more; issued by CN=Example Issuer; "
            "valid until 2027-02-21",
        ),
        (replace(CERTIFICATE, names=("a",)), STARTED + YEAR, "expired on 2027-02-21"),
        (replace(CERTIFICATE, names=("a",)), STARTED - YEAR, "not valid before 2026-11-22"),
        (Certificate(), 0.0, "for nobody; issued by nobody; without an end of validity"),
        (
            Certificate("CN=a", self_signed=True, not_after=1e30),
            0.0,
            "for CN=a; self-signed; valid until a day",
        ),
        (Certificate(not_after=float("nan")), 0.0, "a day that no calendar has"),
        (Certificate("CN=" + "a" * 100), 0.0, "for CN=" + "a" * 57 + "...;"),
    ],
)
def test_certificates(certificate: Certificate, when: float, words: str) -> None:
    assert words in certificate_words(certificate, when)


def test_dialogues() -> None:
    plan = OutputPlan(debugging=1)
    assert dialogue_lines(at_port(None), plan) == []
    assert dialogue_lines(at_port(Service("x")), plan) == []
    assert dialogue_lines(at_port(Service("x", evidence=ServiceEvidence())), plan) == ["  80/tcp: x?"]
    assert dialogue_lines(at_port(ssh()), plan) == [
        "  80/tcp: ssh: the banner matched, rule 10-shells.probes:17",
        "    NULL at 1.500s: only listened, 40 bytes received in 0.021s: match",
    ]
    assert "    GetRequest through TLS at 7.600s: 18 bytes sent" in dialogue_lines(at_port(web()), plan)[2]
    lines = dialogue_lines(at_port(web()), OutputPlan(debugging=2))
    assert r"      sent: GET / HTTP/1.0\r\n\r\n" in lines
    assert lines[-1].endswith("xxx ...")
    assert all(line.isprintable() for line in dialogue_lines(at_port(hostile()), OutputPlan(debugging=2)))


@given(st.binary(max_size=80))
def test_bytes_are_shown_on_one_ascii_line(data: bytes) -> None:
    text = first_bytes(data)
    assert text.isascii()
    assert text.isprintable()
    if len(data) <= 64:
        assert text.encode().decode("unicode_escape").encode("latin-1") == data
    else:
        assert text.endswith(" ...")


def test_every_line_about_a_hostile_host_is_one_line() -> None:
    ports = server().ports
    for line in (*service_info(ports), *unrecognised_lines(ports), *map(version_cell, ports)):
        assert line.isprintable()


def test_a_certificate_with_as_many_names_as_are_kept_may_have_more() -> None:
    names = tuple(f"n{number}.example" for number in range(100))
    assert "and at least 96 more" in certificate_words(Certificate(names=names), 0.0)
