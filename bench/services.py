"""Version detection beside Nmap's: 13 web servers, 30 mixed services, 256 hosts with five services each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import LEADLINE, NMAP, Cost, measure
from bench.table import ratio, table
from tests.servers.farm import farm
from tests.servers.packages import missing_packages
from tests.servers.recipe import Listener, Place, Recipe, end_all, make_certificate
from tests.servers.recipes import all_recipes
from tests.support.compare import compress
from tests.support.netns import Namespace, on_link_lab
from tests.support.services import services

WEB_SERVERS = 13
MIXED_SERVICES = 30
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

    def row(name: str, result: Result) -> list[str]:
        cost = result.cost
        times = [f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", f"{cost.memory / 2**20:.0f} MiB"]
        return [name, *times, str(result.ports), str(result.named), str(result.products)]

    ratios = [
        "ratio",
        ratio(ours.cost.wall, peer.cost.wall),
        ratio(ours.cost.cpu, peer.cost.cpu),
        ratio(ours.cost.memory, peer.cost.memory),
        ratio(ours.ports, peer.ports),
        ratio(ours.named, peer.named),
        ratio(ours.products, peer.products),
    ]
    head = ["scanner", "wall", "cpu", "peak memory", "open", "services", "products"]
    return table(head, [row("nmap", peer), row("leadline", ours), ratios])


def _installed(light_only: bool) -> list[Recipe]:
    """Recipes whose packages are there, quick ones first."""
    recipes = [
        recipe for recipe in all_recipes() if (recipe.light or not light_only) and not missing_packages([recipe])
    ]
    return sorted(recipes, key=lambda recipe: not recipe.light)


def _web_ports(recipe: Recipe) -> list[int]:
    return [each.number for each in recipe.listeners if each.protocol == "tcp" and each.service == "http"]


def _python_web_server(number: int) -> Recipe:
    """Python's own web server, to fill up with where packages are missing."""

    def start(place: Place) -> None:
        place.run(sys.executable, "-m", "http.server", str(number))

    return Recipe(f"python-{number}", (), (Listener(number, service="http"),), start)


def services_http() -> str:
    """-sV of one host with 13 web servers."""
    chosen: list[Recipe] = []
    for recipe in _installed(light_only=False):
        if _web_ports(recipe) and len(chosen) < WEB_SERVERS:
            chosen.append(recipe)
    chosen += [_python_web_server(6001 + number) for number in range(WEB_SERVERS - len(chosen))]
    with farm(chosen, strict=False) as made:
        ports = [port for recipe in made.running for port in _web_ports(recipe)][:WEB_SERVERS]
        return side_by_side(made.scanner, "-p", ",".join(compress(sorted(ports))), made.address)


def services_mixed() -> str:
    """-sV of one host with 30 services, as different as they can be."""
    recipes = [recipe for recipe in _installed(light_only=False) if any(map(_is_mixed, recipe.listeners))]
    with farm(recipes[:MIXED_SERVICES], strict=False) as made:
        first: dict[str, int] = {}
        others: list[int] = []
        for number, (_, listener) in made.listeners().items():
            if _is_mixed(listener) and listener.service not in first:
                first[listener.service] = number
            elif _is_mixed(listener):
                others.append(number)
        ports = [*first.values(), *others][:MIXED_SERVICES]
        names = ", ".join(sorted(first))
        result = side_by_side(made.scanner, "-p", ",".join(compress(sorted(ports))), made.address)
        return f"services: {names}\n{result}"


def _is_mixed(listener: Listener) -> bool:
    return listener.protocol == "tcp" and bool(listener.service)


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
