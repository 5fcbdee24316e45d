"""The bounce scan beside Nmap's, over a server that allows it: the same ports, the same states."""

from __future__ import annotations

import select
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compare import assert_same
from tests.support.netns import SUPPORT, Namespace, namespaces
from tests.support.scan import LEADLINE, both, scan

SERVER, TARGET = "10.9.9.1", "10.9.9.2"


@pytest.fixture(scope="module")
def host() -> Iterator[Namespace]:
    with namespaces("bounce") as (made,):
        made.ip(f"addr add {SERVER}/32 dev lo", f"addr add {TARGET}/32 dev lo")
        made.listen([22, 2222, 8080])
        yield made


def test_both_see_the_same_ports(host: Namespace) -> None:
    server = host.start(sys.executable, "-P", str(SUPPORT / "ftp_relay.py"), SERVER)
    assert server.stdout is not None
    assert select.select([server.stdout], [], [], 20.0)[0]
    peer, ours = both(host, "-n", "-Pn", "-b", f"me:pw@{SERVER}", "-p", "22-23,8080-8081", TARGET)
    server.kill()
    server.wait()
    assert_same(peer.hosts, ours.hosts)
    states = {port: said.state for (_, port), said in ours.hosts[TARGET].ports.items()}
    assert states == {22: "open", 23: "closed", 8080: "open", 8081: "closed"}
    # The password is nobody's business.
    assert b"pw@" not in ours.xml


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
