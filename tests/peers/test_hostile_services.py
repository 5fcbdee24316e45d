"""Servers that want to harm or to stall a scanner: a bounded, correct, escaped result, and the other ports unharmed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.measure import Cost, measure
from tests.servers.farm import Farm, farm
from tests.servers.peculiar import BEHAVIOURS, OVER_TLS
from tests.servers.recipe import Listener, Place, Recipe
from tests.support.needs import require
from tests.support.nmap_xml import validated
from tests.support.scan import LEADLINE
from tests.support.services import Seen, services

SERVER = Path(__file__).resolve().parents[1] / "servers" / "peculiar.py"
FIRST_PORT = 40_001
BEHIND_TLS = tuple(f"{OVER_TLS}{name}" for name in ("silent", "trickle", "flood", "escapes", "reset-on-byte"))
PORTS = {FIRST_PORT + index: name for index, name in enumerate((*BEHAVIOURS, *BEHIND_TLS))}
HONEST = 39_999
# Far above what a scan of these ports takes; a flood kept in memory, or a stalled handshake, would pass them.
LONGEST = 120.0
MOST_MEMORY = 160 * 2**20
# What no output may hold: control characters but line ends, and bytes that are no UTF-8.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _start(place: Place) -> None:
    files = {"CERTIFICATE": str(place.certificate), "KEY": str(place.key)}
    place.run(sys.executable, "-P", str(SERVER), *(f"{number}={name}" for number, name in PORTS.items()), env=files)


def _start_honest(place: Place) -> None:
    place.write("index.html", "<html><title>Honest</title></html>")
    place.run(sys.executable, "-m", "http.server", str(HONEST))


@dataclass(frozen=True, slots=True)
class Scanned:
    """One scan of all of them, in all formats."""

    cost: Cost
    xml: bytes
    text: bytes
    grepable: bytes
    lines: bytes

    @property
    def seen(self) -> dict[str, Seen]:
        """By behaviour; the honest server is ``honest``."""
        names = PORTS | {HONEST: "honest"}
        return {names[place[2]]: seen for place, seen in services(self.xml).items()}


@pytest.fixture(scope="module")
def hostile() -> Iterator[Farm]:
    """All behaviours, each on its port, beside an honest server."""
    require("netns")
    recipes = (
        Recipe("hostile", (), tuple(map(Listener, PORTS)), _start),
        Recipe("honest", (), (Listener(HONEST),), _start_honest),
    )
    with farm(recipes) as made:
        yield made


@pytest.fixture(scope="module")
def scanned(hostile: Farm, tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    folder = tmp_path_factory.mktemp("outputs")
    paths = [folder / name for name in ("xml", "text", "grepable", "lines")]
    outputs = [
        word for option, path in zip(("-oX", "-oN", "-oG", "-oJ"), paths, strict=True) for word in (option, str(path))
    ]
    ports = f"{HONEST},{min(PORTS)}-{max(PORTS)}"
    command = hostile.scanner.command(*LEADLINE, "-n", "-Pn", "-sV", "-vv", *outputs, "-p", ports, hostile.address)
    cost = measure(command, timeout=LONGEST)
    return Scanned(cost, *(path.read_bytes() for path in paths))


pytestmark = [pytest.mark.netns, pytest.mark.timeout(180)]


def test_time_and_memory_are_bounded(scanned: Scanned) -> None:
    assert scanned.cost.wall < LONGEST
    assert scanned.cost.memory < MOST_MEMORY


def test_every_port_has_its_result(scanned: Scanned) -> None:
    assert scanned.seen.keys() == {*PORTS.values(), "honest"}


def test_the_honest_server_is_unharmed(scanned: Scanned) -> None:
    assert scanned.seen["honest"].name == "http"
    assert scanned.seen["honest"].product == "SimpleHTTPServer"


@pytest.mark.parametrize("name", ["close", "close-soon", "reset"])
def test_who_hangs_up_at_once_is_called_wrapped(scanned: Scanned, name: str) -> None:
    assert scanned.seen[name] == Seen(name="tcpwrapped")


@pytest.mark.parametrize(
    "name", ["close-on-byte", "reset-on-byte", "silent", "banner", "trickle", "flood", "flood-at-once"]
)
def test_who_says_nothing_of_sense_has_no_name(scanned: Scanned, name: str) -> None:
    assert scanned.seen[name] == Seen()


@pytest.mark.parametrize("name", [name for name in BEHAVIOURS if name.startswith("tls-")])
def test_tls_that_never_comes_about_has_no_product(scanned: Scanned, name: str) -> None:
    seen = scanned.seen[name]
    assert seen.product == ""
    assert seen.name in ("", "ssl")


@pytest.mark.parametrize("name", [name for name in BEHIND_TLS if not name.endswith("escapes")])
def test_behind_a_finished_handshake_it_is_the_same(scanned: Scanned, name: str) -> None:
    assert scanned.seen[name] in (Seen(tunnel="ssl"), Seen(name="ssl", tunnel="ssl"))


@pytest.mark.parametrize("form", ["xml", "text", "grepable", "lines"])
def test_no_output_holds_control_characters(scanned: Scanned, form: str) -> None:
    content = getattr(scanned, form).decode("utf-8")
    assert CONTROL.findall(content.replace("\t", "")) == []


def test_the_terminal_sees_no_control_characters(scanned: Scanned) -> None:
    assert CONTROL.findall(scanned.cost.output.replace("\t", "")) == []


def test_xml_and_json_are_whole(scanned: Scanned) -> None:
    root = validated(scanned.xml.decode())
    assert len(root.findall("host/ports/port")) == len(PORTS) + 1
    events = [json.loads(line) for line in scanned.lines.decode().splitlines()]
    ports = [port for event in events if event["event"] == "host_done" for port in event["host"]["ports"]]
    assert {port["number"] for port in ports if port["state"] == "open"} == {*PORTS, HONEST}
    escaped = next(port for port in ports if PORTS.get(port["number"]) == "escapes")
    assert escaped["service"]["evidence"]["exchanges"]
