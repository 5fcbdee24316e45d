"""``leadline demo -sV``: what the company's machines run, told by the whole program."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

LINE = re.compile(r"^(\d+)/tcp +(\S+) +(\S+) *(.*)$")


def demo(*arguments: str) -> dict[tuple[str, int], tuple[str, str, str]]:
    """(name, port) -> (state, service, version) of a scan."""
    command = [sys.executable, "-m", "leadline", "demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    found: dict[tuple[str, int], tuple[str, str, str]] = {}
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith("Leadline scan report for "):
            name = line.split()[4].partition(".")[0]
        elif row := LINE.match(line):
            found[name, int(row[1])] = (row[2], row[3], row[4])
    return found


@pytest.fixture(scope="module")
def servers() -> dict[tuple[str, int], tuple[str, str, str]]:
    return demo("-sV", "-F", "10.20.1.0/27")


@pytest.mark.parametrize(
    ("name", "port", "service", "version"),
    [
        ("db", 22, "ssh", "OpenSSH 9.2p1 Debian 2+deb12u3 (protocol 2.0)"),
        ("backup", 873, "rsync", "(protocol version 31)"),
        ("dns", 53, "domain", "ISC BIND 9.18.27"),
        ("www", 80, "http", "nginx 1.22.1"),
        ("www", 443, "ssl/http", "nginx 1.22.1"),
        ("mail", 25, "smtp", "Postfix smtpd (Debian/GNU)"),
        ("mail", 143, "imap", "Dovecot imapd (Debian)"),
        ("legacy", 80, "http", "Microsoft IIS httpd 7.5 (Windows Server 2008 R2 or 7)"),
    ],
)
def test_versions(
    servers: dict[tuple[str, int], tuple[str, str, str]], name: str, port: int, service: str, version: str
) -> None:
    assert servers[name, port] == ("open", service, version)


def test_the_ports_are_those_of_a_scan_without_versions(
    servers: dict[tuple[str, int], tuple[str, str, str]],
) -> None:
    plain = demo("-F", "10.20.1.0/27")
    assert {key: state for key, (state, _, _) in servers.items()} == {key: state for key, (state, *_) in plain.items()}


def test_the_same_seed_tells_the_same(servers: dict[tuple[str, int], tuple[str, str, str]]) -> None:
    assert demo("-sV", "-F", "10.20.1.0/27") == servers
