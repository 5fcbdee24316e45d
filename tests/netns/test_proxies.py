"""Scans through real proxies: the only way from the scanner to its target leads through one on the router."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from leadline.errors import NetworkError
from leadline.model.plan import Proxy
from leadline.net.base import Endpoint
from leadline.net.dialer import EpollDialer
from tests.support.dialing import RealClock, Talk
from tests.support.inside import inside
from tests.support.netns import Lab, routed_lab
from tests.support.scan import LEADLINE, scan

pytestmark = pytest.mark.netns

NEAR = "10.77.0.254"
OPEN, CLOSED, REJECTED, DROPPED = 80, 81, 82, 83
# What each kind can say of a connection that failed: port 81 refuses, 82 is rejected by a firewall.
TELLING = {(CLOSED): ("closed", "conn-refused"), (REJECTED): ("filtered", "host-unreach")}
VAGUE = {(CLOSED): ("filtered", "dest-unreach"), (REJECTED): ("filtered", "dest-unreach")}
DANTED = """
logoutput: stderr
internal: {near} port = {port}
external: eth1
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: root
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
client pass {{ from: ::/0 to: ::/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: ::/0 to: ::/0 }}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("proxies")
    with routed_lab() as made:
        made.target.listen([OPEN])
        made.target.firewall(
            "input", f"tcp dport {REJECTED} reject with icmpx type host-unreachable", f"tcp dport {DROPPED} drop"
        )
        made.router.firewall("forward", "drop")
        (folder / "tinyproxy.conf").write_text(
            f"Port 8888\nListen {NEAR}\nTimeout 60\nMaxClients 200\nBasicAuth user pass-word\n"
        )
        (folder / "danted.conf").write_text(DANTED.format(near=NEAR, port=1081))
        for command in (
            ["microsocks", "-i", NEAR, "-p", "1080", "-u", "user", "-P", "pass:word"],
            ["tinyproxy", "-d", "-c", str(folder / "tinyproxy.conf")],
            ["danted", "-f", str(folder / "danted.conf")],
        ):
            if shutil.which(command[0]):
                # A daemon that divides itself would outlive its parent's end: it gets a process namespace of its own
                # (which dies with it as long as it stays root: whoever changes the user loses the parent-death signal).
                made.router.start("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *command)
        yield made


PROXIES = {
    "microsocks": (f"socks5://user:pass%3Aword@{NEAR}:1080", TELLING | {REJECTED: ("filtered", "no-response")}),
    "tinyproxy": (f"http://user:pass-word@{NEAR}:8888", VAGUE),
    "danted": (f"socks5://{NEAR}:1081", TELLING),
    "danted socks4": (f"socks4://{NEAR}:1081", VAGUE),
    "tinyproxy danted": (f"http://user:pass-word@{NEAR}:8888,socks5://{NEAR}:1081", TELLING),
}


def need(lab: Lab, programs: str, ports: list[int]) -> None:
    """Skip when a program is not installed; else wait until it listens."""
    missing = [name for name in programs.split() if name != "socks4" and not shutil.which(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} (Debian packages: microsocks, tinyproxy, dante-server)")
    with inside(lab.scanner.name):
        for port in ports:
            _wait_for(port)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((NEAR, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens on {port}"
            time.sleep(0.05)
        else:
            return


def ports_of(chain: str) -> list[int]:
    return [int(url.rpartition(":")[2]) for url in chain.split(",")]


@pytest.mark.parametrize("programs", PROXIES)
def test_connect_scan(lab: Lab, programs: str) -> None:
    chain, expected = PROXIES[programs]
    need(lab, programs, ports_of(chain))
    run = scan(lab.scanner, LEADLINE, "-sT", "-Pn", "-n", "--proxies", chain, "-p", "80-83", lab.target_v4)
    found = {number: (one.state, one.reason) for (_, number), one in run.hosts[lab.target_v4].ports.items()}
    assert found[OPEN] == ("open", "syn-ack")
    assert found[CLOSED] == expected[CLOSED]
    assert found[REJECTED][0] == "filtered"
    assert found[DROPPED] == ("filtered", "no-response")


def test_without_the_proxy_nothing_gets_through(lab: Lab) -> None:
    run = scan(lab.scanner, LEADLINE, "-sT", "-Pn", "-n", "-p", "80", lab.target_v4)
    assert run.hosts[lab.target_v4].ports["tcp", OPEN].state == "filtered"


def test_ipv6_targets(lab: Lab) -> None:
    chain, _ = PROXIES["microsocks"]
    need(lab, "microsocks", ports_of(chain))
    run = scan(lab.scanner, LEADLINE, "-6", "-sT", "-Pn", "-n", "--proxies", chain, "-p", "80-81", lab.target_v6)
    assert run.hosts[lab.target_v6].ports["tcp", OPEN].state == "open"


def test_dialogues(lab: Lab) -> None:
    need(lab, "tinyproxy danted", [8888, 1081])
    chain = (Proxy("http", NEAR, 8888, "user", "pass-word"), Proxy("socks5", NEAR, 1081))
    with inside(lab.scanner.name):
        talk = Talk(EpollDialer(RealClock(), 50, chain))
        for token in range(20):
            talk.dialer.open(token, Endpoint(ip_address(lab.target_v4), OPEN if token % 2 else CLOSED))
        talk.until_ended(*range(20))
        talk.dialer.close_all()
    assert {talk.ended(token)[0] for token in range(1, 20, 2)} == {"stream"}
    assert {talk.ended(token) for token in range(0, 20, 2)} == {
        ("connect", 111, f"socks5://{NEAR}:1081: connection refused")
    }


def test_a_proxy_that_wants_another_user_is_told_once(lab: Lab) -> None:
    need(lab, "microsocks", [1080])
    done = lab.scanner.run(
        *LEADLINE, "-sT", "-Pn", "-n", "--proxies", f"socks5://user:wrong@{NEAR}:1080", "-p", "1-1000", lab.target_v4,
        check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert (done.stderr + done.stdout).count("user and password are refused") == 1


def test_a_proxy_that_is_not_there(lab: Lab) -> None:
    with inside(lab.scanner.name), pytest.raises(NetworkError, match="Connection refused"):
        EpollDialer(RealClock(), 50, (Proxy("http", NEAR, 9),))


def _make_keys(folder: Path) -> Path:
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key


def test_dynamic_forwarding_of_ssh(lab: Lab, tmp_path: Path) -> None:
    """``ssh -D`` closes without an answer when the target cannot be reached."""
    if not (shutil.which("sshd") and shutil.which("ssh")):
        pytest.skip("needs sshd and ssh (Debian packages: openssh-server, openssh-client)")
    key = _make_keys(tmp_path)
    Path("/run/sshd").mkdir(exist_ok=True)
    apart = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    lab.router.start(
        *apart, shutil.which("sshd") or "", "-D", "-p", "2222", "-h", str(key), "-f", "/dev/null",
        "-o", f"ListenAddress={NEAR}", "-o", f"AuthorizedKeysFile={key}.pub", "-o", "StrictModes=no",
        "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes",
    )  # fmt: skip
    with inside(lab.scanner.name):
        _wait_for(2222)
    lab.router.start(
        *apart, "ssh", "-F", "none", "-N", "-D", f"{NEAR}:1090", "-p", "2222", "-i", str(key),
        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", f"root@{NEAR}",
    )  # fmt: skip
    with inside(lab.scanner.name):
        _wait_for(1090)
    for kind in ("socks5", "socks4"):
        run = scan(
            lab.scanner, LEADLINE, "-sT", "-Pn", "-n", "--proxies", f"{kind}://{NEAR}:1090", "-p", "80,81",
            lab.target_v4,
        )  # fmt: skip
        states = [run.hosts[lab.target_v4].ports["tcp", number].state for number in (OPEN, CLOSED)]
        assert states == ["open", "filtered"]
