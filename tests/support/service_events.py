"""A scan with version detection as events: every field of a service, and what hostile ones would like to forge."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from leadline.model.event import (
    Event,
    HostDone,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    ServiceTraced,
    TaskEnded,
    TaskStarted,
)
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.port import Port, PortState, Protocol, Reason
from leadline.model.service import Certificate, Exchange, Service, ServiceEvidence, TlsFacts
from tests.support.report_events import STARTED

SERVER = ip_address("10.0.0.20")
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
HOSTILE = 'v1"><x>\x1b[2J\t22/open\n\u202e--&'
FINGERPRINT = (
    "SF-Port9000-TCP:V=0.1.0%I=7%D=11/23%Time=6B045B51%P=x86_64-linux-gnu%r(GenericLines,1E,"
    '"WEIRD\\x01\\xff<a&b>\\x20/slash\\t\\"q\\"\\x20\\x1b\\[31m\\r\\n")%r(GetRequest,1E,"WEIRD\\x01\\xff<a&b>\\r\\n");'
)
CERTIFICATE = Certificate(
    subject="CN=www.example.org,O=Example",
    issuer="CN=Example Issuer",
    names=("www.example.org", "example.org", "a.example.org", "b.example.org", "c.example.org"),
    not_before=STARTED - 86400.0,
    not_after=STARTED + 90 * 86400.0,
    sha256="ab" * 32,
)


def ssh() -> Service:
    """Recognised by its banner."""
    exchange = Exchange("NULL", b"", SSH_BANNER, len(SSH_BANNER), 1.5, 0.021, "match")
    return Service(
        "ssh",
        "probed",
        10,
        "OpenSSH",
        "9.2p1 Debian 2+deb12u3",
        "protocol 2.0",
        ostype="Linux",
        cpe=("cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:linux:linux_kernel"),
        evidence=ServiceEvidence((exchange,), "10-shells.probes:17", "the banner matched"),
    )


def web() -> Service:
    """Behind TLS; the first words on the plain connection were in vain."""
    hello = Exchange("NULL", b"", b"", 0, 1.5, 6.0, "silence")
    answer = b"HTTP/1.0 200 OK\r\nServer: nginx/1.22.1\r\n\r\n" + b"x" * 100
    request = Exchange("GetRequest", REQUEST, answer, 70_000, 7.6, 0.05, "match", "ssl")
    return Service(
        "http",
        "probed",
        10,
        "nginx",
        "1.22.1",
        hostname="www.example.org",
        cpe=("cpe:/a:f5:nginx:1.22.1",),
        tunnel="ssl",
        tls=TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", CERTIFICATE),
        evidence=ServiceEvidence((hello, request), "20-http-servers.probes:42"),
    )


def mail() -> Service:
    """TLS by STARTTLS, with a certificate that nobody can read."""
    broken = Certificate(sha256="cd" * 32, problem="no ASN.1")
    return Service(
        "smtp",
        "probed",
        10,
        "Postfix smtpd",
        hostname="mail.example.org",
        devicetype="general purpose",
        tls=TlsFacts("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", broken, "smtp"),
    )


def hostile() -> Service:
    """Everything that it says wants to be something else."""
    return Service(
        "http", "probed", 10, HOSTILE, HOSTILE, "/" * 200, HOSTILE, HOSTILE, HOSTILE, (f"cpe:/h:{HOSTILE}",),
        evidence=ServiceEvidence((Exchange("NULL", b"", b"\x1b[2J\xff\n", 5, 0.1, 0.2, HOSTILE),), "x:1", HOSTILE),
    )  # fmt: skip


def unknown() -> Service:
    """It answered, and no rule knows it."""
    exchange = Exchange("GenericLines", b"\r\n\r\n", b"WEIRD\x01\xff<a&b> /slash", 30, 1.5, 5.0, "no match")
    return Service("cslistener", fingerprint=FINGERPRINT, evidence=ServiceEvidence((exchange,)))


def server() -> Host:
    """One host with a service of each kind."""
    services = {
        22: ssh(), 25: mail(), 443: web(), 3000: Service("ppp"), 8080: hostile(), 9000: unknown(),
        9001: Service("tcpwrapped", "probed", 8), 9100: None,
        9443: Service("tungsten-https", tunnel="ssl"),
    }  # fmt: skip
    ports = [
        Port(number, Protocol.TCP, PortState.OPEN, Reason.SYN_ACK, 64, service=service)
        for number, service in services.items()
    ]
    closed = Port(81, Protocol.TCP, PortState.CLOSED, Reason.RESET, 64, service=Service("hosts2-ns"))
    return Host(
        SERVER,
        HostStatus.UP,
        Reason.ECHO_REPLY,
        64,
        hostnames=(Hostname("www.example.org", "user"),),
        mac="02:00:5E:10:00:20",
        started=STARTED,
        ended=STARTED + 9,
        ports=tuple(sorted((*ports, closed), key=lambda port: port.number)),
    )


def with_service(service: Service) -> Host:
    """The same host with that service only, on port 80."""
    port = Port(80, Protocol.TCP, PortState.OPEN, Reason.SYN_ACK, 64, service=service)
    return replace(server(), ports=(port,), mac="", hostnames=())


def services_scan(verbosity: int = 0, debugging: int = 0) -> list[Event]:
    """A short scan with ``-sV --version-trace``."""
    return [
        ScanStarted(
            STARTED,
            "0.1.0",
            ("leadline", "-sV", "www.example.org"),
            (ScanInfo("syn", Protocol.TCP, 10, "22,25,81,443,3000,8080,9000-9001,9100,9443"),),
            verbosity,
            debugging,
        ),
        TaskStarted(1.4, "Service scan", "9 services on www.example.org (10.0.0.20)"),
        ServiceTraced(1.5, SERVER, 22, Protocol.TCP, "NULL: connecting"),
        ServiceTraced(1.521, SERVER, 22, Protocol.TCP, "match \x1b[2J"),
        TaskEnded(8.9, "Service scan", "9 services on 1 host", 7.5),
        HostDone(9.0, server()),
        ScanEnded(9.0, STARTED + 9.0, "success", "", 1, 0, 1),
    ]
