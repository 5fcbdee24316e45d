"""Remote shells: SSH servers of several makers, Telnet, rlogin and rsh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.servers.recipe import Listener, Place, Recipe

PARAMIKO = """\
import socket, sys, threading
import paramiko

class Server(paramiko.ServerInterface):
    pass

def serve(connection, key):
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    try:
        transport.start_server(server=Server())
        transport.join(20)
    except (paramiko.SSHException, EOFError, OSError):
        pass

key = paramiko.RSAKey.generate(2048)
listener = socket.create_server(("", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection, key), daemon=True).start()
"""
ASYNCSSH = """\
import asyncio, sys
import asyncssh

async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    await asyncssh.create_server(asyncssh.SSHServer, "", int(sys.argv[1]), server_host_keys=[key])
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _given(arguments: Sequence[str]) -> str:
    return f" server_args = {' '.join(arguments)}\n" if arguments else ""


def xinetd(place: Place, *services: Sequence[str]) -> None:
    """xinetd with services, each of (port, user, program, argument ...)."""
    text = "".join(
        f"service port{port}\n{{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n port = {port}\n"
        f" user = {user}\n wait = no\n server = {argv[0]}\n{_given(argv[1:])}}}\n"
        for port, user, *argv in services
    )
    path = place.write("xinetd.conf", f"defaults\n{{\n instances = 60\n}}\n{text}")
    place.run("/usr/sbin/xinetd", "-dontfork", "-f", str(path), "-pidfile", str(place.folder / "pid"))


def _openssh(place: Place) -> None:
    key = place.folder / "host_key"
    place.once("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it for its separated part
    text = f"Port 22\nHostKey {key}\nPidFile none\nUsePAM no\n"
    place.run("/usr/sbin/sshd", "-D", "-e", "-f", str(place.write("sshd_config", text)))


def _dropbear(place: Place) -> None:
    key = place.folder / "key"
    place.once("dropbearkey", "-t", "ed25519", "-f", str(key))
    place.run("dropbear", "-F", "-E", "-m", "-r", str(key), "-p", "2101", "-P", str(place.folder / "pid"))


def _tinyssh(place: Place) -> None:
    place.once("tinysshd-makekey", str(place.folder / "keys"))
    xinetd(place, ("2102", "root", "/usr/sbin/tinysshd", str(place.folder / "keys")))


def _conch(place: Place) -> None:
    for kind in ("rsa", "ecdsa"):
        key = place.folder / f"ssh_host_{kind}_key"
        place.once("ssh-keygen", "-q", "-m", "PEM", "-t", kind, "-N", "", "-f", str(key))
    folder = str(place.folder)
    place.run("twistd3", "-n", "--pidfile=", "conch", "-p", "tcp:2103", "-d", folder, "--auth", "memory:user:secret")


def _paramiko(place: Place) -> None:
    place.run("/usr/bin/python3", str(place.write("server.py", PARAMIKO)), "2104")


def _asyncssh(place: Place) -> None:
    place.run("/usr/bin/python3", str(place.write("server.py", ASYNCSSH)), "2105")


def _sshesame(place: Place) -> None:
    data = str(place.make_folder("data"))
    path = str(place.write("sshesame.yaml", "server:\n  listen_address: 0.0.0.0:2106\n"))
    place.run("sshesame", "--config", path, "--data_dir", data)


def _telnet(place: Place) -> None:
    xinetd(place, ("23", "root", "/usr/sbin/telnetd"))


SHELLS = (
    Recipe(
        "openssh",
        ("openssh-server",),
        (Listener(22, service="ssh", product="OpenSSH", version="@openssh-server"),),
        _openssh,
        light=True,
    ),
    Recipe(
        "dropbear",
        ("dropbear-bin",),
        (Listener(2101, service="ssh", product="Dropbear sshd", version="@dropbear-bin"),),
        _dropbear,
        light=True,
    ),
    Recipe(
        "tinyssh", ("tinysshd", "xinetd"), (Listener(2102, service="ssh", product="TinySSH"),), _tinyssh, light=True
    ),
    Recipe(
        "conch",
        ("python3-twisted", "openssh-client"),
        (Listener(2103, service="ssh", product="Twisted Conch", version="@python3-twisted"),),
        _conch,
    ),
    Recipe(
        "paramiko",
        ("python3-paramiko",),
        (Listener(2104, service="ssh", product="Paramiko Python sshd", version="@python3-paramiko"),),
        _paramiko,
    ),
    Recipe(
        "asyncssh",
        ("python3-asyncssh",),
        (Listener(2105, service="ssh", product="AsyncSSH sshd", version="@python3-asyncssh"),),
        _asyncssh,
    ),
    Recipe("sshesame", ("sshesame",), (Listener(2106, service="ssh", product="sshesame honeypot"),), _sshesame),
    Recipe(
        "telnet",
        ("inetutils-telnetd", "xinetd"),
        (Listener(23, service="telnet", product="BSD-derived telnetd"),),
        _telnet,
        light=True,
    ),
)
