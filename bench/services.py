"""Version detection beside Nmap's: 13 web servers, 30 mixed services, 256 hosts with five services each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import LEADLINE, NMAP, Cost, measure
from bench.table import scanners
from tests.servers.farm import farm
from tests.servers.packages import missing_packages
from tests.servers.recipe import Recipe, end_all, make_certificate
from tests.servers.recipes import chosen
from tests.support.compare import compress
from tests.support.netns import Namespace, on_link_lab
from tests.support.services import services

# Thirteen web servers that both scanners name: one that Nmap doesn't know costs it minutes and would flatter us.
WEB_SERVERS = (
    "nginx",
    "apache2",
    "lighttpd",
    "python-http",
    "webrick",
    "thin",
    "mini-httpd",
    "webfs",
    "yaws",
    "twisted",
    "tornado",
    "aiohttp",
    "cherrypy",
)
MIXED_SERVICES = {
    "openssh": (22,),
    "bind": (53,),
    "dict": (2628,),
    "bird": (179,),
    "postfix": (25, 465),
    "dovecot": (110, 143),
    "vsftpd": (21, 990),
    "rsync": (873,),
    "svnserve": (3690,),
    "cvs": (2401,),
    "ngircd": (6667,),
    "munin": (4949,),
    "nut": (3493,),
    "spamassassin": (783,),
    "lcdproc": (13666,),
    "mpd": (6600,),
    "epmd": (4369,),
    "vnc": (5900,),
    "nginx": (80, 443),
    "varnish": (8011,),
    "cups": (631,),
    "postgresql": (5432,),
    "redis": (6379,),
    "memcached": (11211,),
    "slapd": (389,),
    "krb5-kdc": (88,),
}
ANSWERING = Path(__file__).resolve().parents[1] / "tests" / "servers" / "answering.py"
# Port, whether it speaks first, what it says: as OpenSSH, Postfix, nginx, MariaDB and Redis of Debian 12 do.
_GREETING = (
    b"\x5c\x00\x00\x00\x0a5.5.5-10.11.14-MariaDB-0+deb12u2\x00\x04\x00\x00\x00abcdefgh\x00\xfe\xff\x2d\x02\x00\xff\x81"
    b"\x15\x00\x00\x00\x00\x00\x00\x3d\x00\x00\x00ijklmnopqrst\x00mysql_native_password\x00"
)
_PAGE = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html></html>\r\n"
)
FIVE = (
    (22, True, b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
    (25, True, b"220 host.example ESMTP Postfix (Debian/GNU)\r\n"),
    (80, False, _PAGE),
    (3306, True, _GREETING),
    (6379, False, b"-ERR wrong number of arguments for 'get' command\r\n"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """One scan by one scanner: open ports, those named with a service, those named with a product."""

    cost: Cost
    ports: int
    named: int
    products: int


def _run(namespace: Namespace, program: Sequence[str], arguments: Sequence[str]) -> Result:
    cost = measure(namespace.command(*program, "-n", "-Pn", "-sV", "-oX", "-", *arguments))
    seen = services(cost.output.encode()).values()
    return Result(cost, len(seen), sum(bool(each.name) for each in seen), sum(bool(each.product) for each in seen))


def side_by_side(namespace: Namespace, *arguments: str) -> str:
    """Nmap, then Leadline, with the same arguments: a table with their ratio."""
    peer, ours = (_run(namespace, program, arguments) for program in (NMAP, LEADLINE))
    counts = {
        "open": (peer.ports, ours.ports),
        "services": (peer.named, ours.named),
        "products": (peer.products, ours.products),
    }
    return scanners(peer.cost, ours.cost, counts)


def services_http() -> str:
    """-sV of one host with 13 web servers."""
    first = {recipe.name: _first_web_port(recipe) for recipe in chosen(WEB_SERVERS)}
    return _of_farm({name: (port,) for name, port in first.items()})


def _first_web_port(recipe: Recipe) -> int:
    return next(each.number for each in recipe.listeners if each.service == "http")


def services_mixed() -> str:
    """-sV of one host with 30 services of many kinds."""
    return _of_farm(MIXED_SERVICES)


def _of_farm(wanted: Mapping[str, Sequence[int]]) -> str:
    """These ports of these recipes, scanned by both."""
    recipes = chosen([*wanted])
    if missing := missing_packages(recipes):
        return f"  left out: needs {', '.join(missing)} (scripts/farm --install {' '.join(wanted)})"
    with farm(recipes) as made:
        ports = sorted(port for numbers in wanted.values() for port in numbers)
        return side_by_side(made.scanner, "-p", ",".join(compress(ports)), made.address)


def services_many() -> str:
    """-sV of 256 hosts with five services each."""
    with _five_everywhere() as scanner:
        ports = ",".join(str(port) for port, _, _ in FIVE)
        return side_by_side(scanner, "-p", ports, "10.88.1.0/24")


@contextlib.contextmanager
def _five_everywhere() -> Iterator[Namespace]:
    """A scanner before a namespace that answers for a whole network."""
    with on_link_lab() as lab, tempfile.TemporaryDirectory(prefix="leadline-bench-") as folder:
        lab.target.answers_for("10.88.1.0/24")
        lab.scanner.ip(f"route add 10.88.0.0/16 via {lab.target_v4}")
        certificate, key = make_certificate(Path(folder))
        command = lab.target.command(sys.executable, "-P", str(ANSWERING), str(certificate), str(key))
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = [json.dumps([port, at_once, False, data.decode("latin-1")]) for port, at_once, data in FIVE]
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write("\n".join(lines))
            server.stdin.close()
            if server.stdout.readline().strip() != "ready":
                raise RuntimeError("the server of answers did not start")
            yield lab.scanner
        finally:
            end_all(lab.target, [])
            server.wait()
            server.stdout.close()
