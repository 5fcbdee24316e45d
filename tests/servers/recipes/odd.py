"""Servers that behave oddly, and services behind something else: TLS in front of plain servers, wrappers, echoes.

Its numbers are 5000 to 5999, besides port 7.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.servers.recipe import Listener, Place, Recipe

PECULIAR = Path(__file__).resolve().parents[1] / "peculiar.py"


def _echo(place: Place) -> None:
    place.run("socat", "TCP6-LISTEN:7,ipv6only=0,reuseaddr,fork", "EXEC:cat")


def _xinetd(place: Place) -> None:
    internal = {"daytime": 5013, "chargen": 5019, "time": 5037, "discard": 5009}
    services = [
        f"service {name}\n{{\n type = INTERNAL UNLISTED\n id = {name}\n socket_type = stream\n protocol = tcp\n"
        f" port = {number}\n user = root\n wait = no\n}}\n"
        for name, number in internal.items()
    ]
    services.append(
        "service guarded\n{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n port = 5010\n user = root\n"
        " wait = no\n only_from = 192.0.2.1\n server = /bin/cat\n}\n"
    )
    path = place.write("xinetd.conf", "defaults\n{\n instances = 60\n}\n" + "".join(services))
    own = ("-pidfile", str(place.folder / "pid"), "-filelog", str(place.log))
    place.run("/usr/sbin/xinetd", "-dontfork", "-f", str(path), *own)


def _stunnel(place: Place) -> None:
    """TLS before a web server, a shell server and a database, none of which knows of it."""
    host_key = place.folder / "host_key"
    place.once("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key))
    shell = place.write(
        "sshd_config",
        f"HostKey {host_key}\nPidFile none\nUsePAM no\n",
    )
    place.make_folder("www")
    place.write("www/index.html", "<html><title>Behind a tunnel</title></html>\n")
    place.run("redis-server", "--port", "5998", "--bind", "127.0.0.1", "--save", "", "--dir", str(place.folder))
    services = {
        "http": f"accept = :::5443\nexec = /usr/sbin/micro-httpd\nexecArgs = micro-httpd {place.folder}/www",
        "ssh": f"accept = :::5022\nexec = /usr/sbin/sshd\nexecArgs = sshd -i -e -f {shell}",
        "redis": "accept = :::5679\nconnect = 127.0.0.1:5998",
        "echo": "accept = :::5007\nexec = /bin/cat\nexecArgs = cat",
    }
    _run_stunnel(place, services, "")
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it for its separated part


def _run_stunnel(place: Place, services: dict[str, str], options: str) -> None:
    head = f"foreground = yes\npid =\ncert = {place.certificate}\nkey = {place.key}\nsetuid = root\n{options}\n"
    text = head + "".join(f"[{name}]\n{body}\n" for name, body in services.items())
    place.run("stunnel4", str(place.write("stunnel.conf", text)))


def _old_tls(place: Place) -> None:
    """One version of TLS each, weak ciphers, and one without any certificate."""
    place.make_folder("www")
    server = f"exec = /usr/sbin/micro-httpd\nexecArgs = micro-httpd {place.folder}/www\n"
    weak = "ciphers = ALL:@SECLEVEL=0\nsecurityLevel = 0\n"
    services = {
        f"version{number}": f"accept = :::{number}\n{server}{weak}sslVersion = {version}"
        for number, version in {5401: "TLSv1", 5402: "TLSv1.1", 5403: "TLSv1.2", 5404: "TLSv1.3"}.items()
    }
    services["anonymous"] = (
        f"accept = :::5405\n{server}ciphers = aNULL:@SECLEVEL=0\nsslVersion = TLSv1.2\nsecurityLevel = 0"
    )
    asks = f"verifyChain = yes\nCAfile = {place.certificate}\n"
    services["asks"] = f"accept = :::5406\n{server}{asks}sslVersion = TLSv1.2"
    _run_stunnel(place, services, "")


def _s_server(place: Place) -> None:
    """OpenSSL's own test server serves one client after the other."""
    identity = ("-cert", str(place.certificate), "-key", str(place.key))
    place.run("openssl", "s_server", "-accept", "5410", *identity, "-www", "-quiet")
    place.run("openssl", "s_server", "-accept", "5411", *identity, "-rev", "-quiet")


def _gnutls(place: Place) -> None:
    identity = (f"--x509certfile={place.certificate}", f"--x509keyfile={place.key}")
    place.run("gnutls-serv", "--http", "--port", "5420", "--quiet", *identity)
    place.run("gnutls-serv", "--echo", "--port", "5421", "--quiet", *identity)


def _sslh(place: Place) -> None:
    """One port for two protocols: a client that is silent for two seconds gets the shell server."""
    host_key = place.folder / "host_key"
    place.once("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host_key))
    Path("/run/sshd").mkdir(exist_ok=True)
    options = ("-o", f"HostKey={host_key}", "-o", "UsePAM=no", "-o", "PidFile=none", "-f", "/dev/null")
    place.run("/usr/sbin/sshd", "-D", "-e", "-p", "5996", *options, "-o", "ListenAddress=127.0.0.1")
    web = f"EXEC:/usr/sbin/micro-httpd {place.make_folder('www')}"
    place.run("socat", "TCP4-LISTEN:5997,bind=127.0.0.1,reuseaddr,fork", web)
    targets = ("--ssh", "127.0.0.1:5996", "--http", "127.0.0.1:5997")
    place.run("sslh-select", "--foreground", "--user", "root", "--listen", "0.0.0.0:5030", *targets)


def _ncat(place: Place) -> None:
    place.run("ncat", "-l", "-k", "5510", "--exec", "/bin/cat")
    place.run("ncat", "-l", "-k", "5511", "--broker", "--ssl")
    place.run("ncat", "-l", "-k", "5512", "--proxy-type", "http")


_PECULIAR = {
    5601: "close",
    5602: "reset",
    5603: "close-on-byte",
    5604: "reset-on-byte",
    5605: "close-soon",
    5606: "close-later",
    5607: "silent",
    5608: "banner",
    5609: "tls-alert",
}


def _peculiar(place: Place) -> None:
    place.run(sys.executable, "-P", str(PECULIAR), *(f"{number}={name}" for number, name in _PECULIAR.items()))


_HTTP = ("http", "micro_httpd")
RECIPES: tuple[Recipe, ...] = (
    Recipe("socat-echo", ("socat",), (Listener(7, service="echo"),), _echo, light=True),
    Recipe(
        "xinetd",
        ("xinetd",),
        (
            Listener(5009),
            Listener(5010, service="tcpwrapped"),
            Listener(5013, service="daytime"),
            Listener(5019, service="chargen"),
            Listener(5037, service="time"),
        ),
        _xinetd,
        light=True,
    ),
    Recipe(
        "stunnel",
        ("stunnel4", "micro-httpd", "openssh-server", "redis-server"),
        (
            Listener(5007, tls=True, service="echo"),
            Listener(5022, tls=True, service="ssh", product="OpenSSH", version="@openssh-server"),
            Listener(5443, tls=True, service="http", product="micro_httpd"),
            Listener(5679, tls=True, service="redis", product="Redis", version="@redis-server"),
        ),
        _stunnel,
    ),
    Recipe(
        "old-tls",
        ("stunnel4", "micro-httpd"),
        (
            *(Listener(number, tls=True, service="http", product="micro_httpd") for number in range(5401, 5406)),
            Listener(5406, tls=True),
        ),
        _old_tls,
    ),
    Recipe(
        "openssl",
        ("openssl",),
        (Listener(5410, tls=True, service="http", product="OpenSSL s_server"), Listener(5411, tls=True)),
        _s_server,
        shifted=False,
    ),
    Recipe(
        "gnutls",
        ("gnutls-bin",),
        (Listener(5420, tls=True, service="http"), Listener(5421, tls=True)),
        _gnutls,
    ),
    Recipe(
        "sslh",
        ("sslh", "openssh-server", "micro-httpd", "socat"),
        (Listener(5030, service="http", product="micro_httpd"),),  # what those get who talk; silent ones get SSH
        _sslh,
    ),
    Recipe(
        "ncat",
        ("ncat",),
        (Listener(5510, service="echo"), Listener(5511, tls=True), Listener(5512, service="http")),
        _ncat,
        shifted=False,
    ),
    Recipe("peculiar", (), tuple(map(Listener, _PECULIAR)), _peculiar, light=True),
)
