"""``leadline demo -sV``: what the company's machines run, told by the whole program."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

LINE = re.compile(r"^(\d+)/tcp +(\S+) +(\S+) *(.*)$")


# (name, port) -> (state, service, version).
Found = dict[tuple[str, int], tuple[str, str, str]]


def demo(*arguments: str) -> Found:
    """What a scan tells of ports."""
    command = [sys.executable, "-m", "leadline", "demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    found: Found = {}
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith("Leadline scan report for "):
            name = line.split()[4].partition(".")[0]
        elif row := LINE.match(line):
            found[name, int(row[1])] = (row[2], row[3], row[4])
    return found


@pytest.fixture(scope="module")
def office() -> Found:
    return demo("-sV", "--open", "-p", "22,80,139,443,445,515,548,554,3389,5000,5900,8000,9100", "10.20.0.0/26")


@pytest.fixture(scope="module")
def servers() -> Found:
    return demo("-sV", "--open", "--top-ports", "1000", "10.20.1.0/27")


# Name, port, what is behind it, and how its version begins.
OFFICE = (
    ("access-point", 22, "ssh", "Dropbear sshd 2022.83"),
    ("access-point", 443, "ssl/http", "lighttpd 1.4.69"),
    ("nas", 445, "netbios-ssn", "Samba smbd"),
    ("nas", 548, "afp", "Netatalk 3.1.12"),
    ("reception", 3389, "ms-wbt-server", "Microsoft"),
    ("design", 5900, "vnc", "Apple remote desktop"),
    ("printer", 9100, "pdl-datastream?", "Excluded from version scan"),
    ("camera", 8000, "http-alt?", ""),
)
SERVERS = (
    ("db", 22, "ssh", "OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)"),
    ("dns", 53, "domain", "ISC BIND 9.18.27"),
    ("dns", 953, "tcpwrapped", ""),
    ("www", 80, "http", "nginx 1.22.1"),
    ("www", 443, "ssl/http", "nginx 1.22.1"),
    ("mail", 25, "smtp", "Postfix smtpd"),
    ("mail", 143, "imap", "Dovecot imapd"),
    ("mail", 465, "ssl/smtp", "Postfix smtpd"),
    ("mail", 993, "ssl/imap", "Dovecot imapd"),
    ("cache", 6379, "redis", "Redis key-value store 7.0.15"),
    ("monitor", 80, "http", "Apache httpd 2.4.59"),
    ("monitor", 3000, "http", "Grafana"),
    ("build", 8080, "http", "Jenkins 2.452.1"),
    ("build", 50000, "mysql", "MySQL 8.0.37"),
    ("directory", 389, "ldap", "Microsoft Windows Active Directory LDAP"),
    ("directory", 636, "ssl/ldap", "Microsoft Windows Active Directory LDAP"),
    ("legacy", 80, "http", "Microsoft IIS httpd 7.5"),
    ("legacy", 1433, "ms-sql-s", "Microsoft SQL Server"),
)


@pytest.mark.parametrize(("name", "port", "service", "version"), OFFICE)
def test_the_office(office: Found, name: str, port: int, service: str, version: str) -> None:
    assert office[name, port][:2] == ("open", service)
    assert office[name, port][2].startswith(version)


@pytest.mark.parametrize(("name", "port", "service", "version"), SERVERS)
def test_the_servers(servers: Found, name: str, port: int, service: str, version: str) -> None:
    assert servers[name, port][:2] == ("open", service)
    assert servers[name, port][2].startswith(version)


def test_the_ports_are_those_of_a_scan_without_versions(servers: Found) -> None:
    plain = demo("--open", "--top-ports", "1000", "10.20.1.0/27")
    assert {key: state for key, (state, _, _) in servers.items()} == {key: state for key, (state, *_) in plain.items()}


def test_the_same_seed_tells_the_same(office: Found) -> None:
    again = demo("-sV", "--open", "-p", "22,80,139,443,445,515,548,554,3389,5000,5900,8000,9100", "10.20.0.0/26")
    assert again == office
