"""The bounce scan beside Nmap's, over a server that allows it: the same ports, the same states."""

from __future__ import annotations

import select
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.compare import assert_same
from tests.support.ftp_relay import SCRIPTED
from tests.support.netns import SUPPORT, Namespace, firewall_rules, namespaces, on_link_lab
from tests.support.scan import LEADLINE, NMAP, scan

SERVER, TARGET = "10.9.9.1", "10.9.9.2"


@pytest.fixture(scope="module")
def host() -> Iterator[Namespace]:
    with namespaces("bounce") as (made,):
        made.ip(f"addr add {SERVER}/32 dev lo", f"addr add {TARGET}/32 dev lo")
        made.listen([2222, 8080])
        yield made


def test_both_see_the_same_ports() -> None:
    """Through a firewall that does everything to a port, and by every reply that a server may give.

    426, a broken transfer, needs a connection that was there (RFC 959 section 5.4): Nmap calls the port closed.
    """
    with on_link_lab() as lab, ThreadPoolExecutor() as threads:
        lab.target.firewall("input", *firewall_rules(width=1))
        lab.target.listen([22, 8080])
        lab.scanner.ip(f"addr add {SERVER}/32 dev lo")
        server = lab.scanner.start(sys.executable, "-P", str(SUPPORT / "ftp_relay.py"), SERVER)
        assert server.stdout is not None
        assert select.select([server.stdout], [], [], 20.0)[0]
        ports = (22, 23, 8080, 8081, *range(2000, 2900, 100), *SCRIPTED)
        listed = ",".join(map(str, ports))
        arguments = ("-n", "-Pn", "-vv", "-b", f"me:pw@{SERVER}", "-p", listed, lab.target_v4)
        peer, ours = threads.map(lambda program: scan(lab.scanner, program, *arguments), (NMAP, LEADLINE))
        server.kill()
        told = sorted(commands(server.communicate()[0]))
        theirs, mine = peer.hosts, ours.hosts
        found = {port: said.state for (_, port), said in mine[lab.target_v4].ports.items()}
        assert theirs[lab.target_v4].ports.pop(("tcp", 3426)).state == "closed"
        del mine[lab.target_v4].ports["tcp", 3426]
        assert_same(theirs, mine)
    assert {port for port, state in found.items() if state == "open"} == {22, 8080, 3226, 3250, 3200, 3426}
    assert {port for port, state in found.items() if state == "filtered"} == {3999}
    assert len(found) == len(ports)
    # The same commands; ours alone ends politely, and what is stuck.
    asked = [f"PORT 10,77,0,2,{port >> 8},{port & 255}" for port in ports]
    assert len(told) == 2
    assert told[0] == told[1] == sorted(["USER me", "PASS pw", *("LIST" for _ in ports), *asked])
    # The password is nobody's business.
    assert b"pw@" not in ours.xml


def commands(text: str) -> list[list[str]]:
    """What each client told the server, in alphabetical order."""
    told: dict[str, list[str]] = {}
    for line in text.splitlines():
        client, _, command = line.partition(" ")
        if command:
            told.setdefault(client, []).append(command)
    return [sorted(each for each in said if each not in ("ABOR", "QUIT")) for said in told.values()]


@pytest.mark.skipif(shutil.which("vsftpd") is None, reason="vsftpd is not installed")
def test_over_vsftpd(host: Namespace, tmp_path: Path) -> None:
    for name in ("root", "empty"):
        (tmp_path / name).mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    settings = {
        "listen": "YES", "background": "NO", "anonymous_enable": "YES", "port_promiscuous": "YES",
        "seccomp_sandbox": "NO", "connect_from_port_20": "NO", "anon_root": tmp_path / "root",
        "secure_chroot_dir": tmp_path / "empty", "listen_address": SERVER,
    }  # fmt: skip
    path = tmp_path / "vsftpd.conf"
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "ascii")
    server = host.start("vsftpd", str(path))
    host.run("sh", "-c", "for i in $(seq 50); do ss -ltn | grep -q ':21 ' && exit; sleep 0.1; done")
    ours = scan(host, LEADLINE, "-n", "-Pn", "-b", SERVER, "-p", "22,2222,8080-8081", TARGET)
    server.kill()
    server.wait()
    # This server refuses ports below 1024, and hangs up on who asks for them.
    states = {port: said.state for (_, port), said in ours.hosts[TARGET].ports.items()}
    assert states == {2222: "open", 8080: "open", 8081: "closed"}
