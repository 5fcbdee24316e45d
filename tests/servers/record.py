"""``scripts/record RECIPE ...``: start servers and write down what they answer, as lines for ``tests/recorded``.

Each listener is asked nothing (the banner), what our own probes ask on its port, and a few things that many servers
answer. One JSON object a line on standard output, the verdict's fields still empty: they are for the author to fill in.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from leadline.data.service_probes import load_service_probes
from leadline.data.service_rules import NULL, ServiceProbe
from leadline.model.port import Protocol
from tests.servers.farm import Farm, end_kindly, farm
from tests.servers.recipe import Listener, Recipe
from tests.servers.recipes import chosen
from tests.support.inside import inside

ALWAYS = (NULL, "GetRequest", "GenericLines", "Help")
MOST_KEPT = 16_384
# An answer is over when nothing more came for so long.
QUIET = 0.5
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Question:
    """``seconds``: how long the first byte is waited for."""

    recipe: Recipe
    listener: Listener
    probe: ServiceProbe
    tunnel: str
    seconds: float


def tolerant() -> ssl.SSLContext:
    """A client that takes any certificate, any version and any cipher that OpenSSL still knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def ask(address: str, question: Question) -> bytes:
    """The first bytes that come back, of however many packets they are; empty for silence and refusal."""
    listener = question.listener
    if listener.protocol == "udp":
        return _ask_datagram(address, question)
    with contextlib.ExitStack() as stack:
        connection: socket.socket = stack.enter_context(socket.create_connection((address, listener.number), 5.0))
        if question.tunnel:
            connection = stack.enter_context(tolerant().wrap_socket(connection, server_hostname="host.example"))
        connection.sendall(question.probe.payload)
        return _read(connection, question.seconds)


def _read(connection: socket.socket, seconds: float) -> bytes:
    answer = b""
    connection.settimeout(seconds)
    # What came before a reset or an untidy end of TLS is an answer like any other.
    with contextlib.suppress(OSError):
        while len(answer) < MOST_KEPT and (more := connection.recv(MOST_KEPT)):
            answer += more
            connection.settimeout(QUIET)
    return answer[:MOST_KEPT]


def _ask_datagram(address: str, question: Question) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect((address, question.listener.number))
        connection.settimeout(question.seconds)
        try:
            connection.send(question.probe.payload)
            return connection.recv(MOST_KEPT)
        except OSError:
            return b""


def questions(recipes: Sequence[Recipe], names: Sequence[str], seconds: float) -> Iterator[Question]:
    """What is asked of each listener: the probes of these names, or (without any) those that fit the port."""
    probes = load_service_probes().probes
    unknown = set(names) - {probe.name for probe in probes}
    if unknown:
        raise SystemExit(f"record: no such probe: {', '.join(sorted(unknown))}")
    for recipe in recipes:
        for listener in recipe.listeners:
            for probe in probes:
                if (probe.protocol is Protocol.UDP) != (listener.protocol == "udp"):
                    continue
                if _fits(probe, listener.number, "ssl" if listener.tls else "", names):
                    yield Question(recipe, listener, probe, "ssl" if listener.tls else "", seconds)
                elif listener.tls and _fits(probe, listener.number, "", names):
                    yield Question(recipe, listener, probe, "", seconds)


def _fits(probe: ServiceProbe, port: int, tunnel: str, names: Sequence[str]) -> bool:
    if names:
        return probe.name in names
    return probe.lists(port, tunnel) or (probe.protocol is Protocol.TCP and probe.name in ALWAYS)


def source_of(recipe: Recipe) -> str:
    """``recorded: Debian PACKAGE VERSION`` of the recipe's first package."""
    if not recipe.packages:
        return f"recorded: {recipe.name}"
    package = recipe.packages[0]
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return f"recorded: Debian {package} {version}"


def record_line(question: Question, answer: bytes, source: str) -> str:
    """One line for ``tests/recorded``, without a verdict."""
    head = {
        "probe": question.probe.name,
        "protocol": question.listener.protocol,
        "answer": answer.decode("latin-1"),
        "tunnel": question.tunnel,
    }
    words = ("service", "product", "version", "extrainfo", "hostname", "ostype", "devicetype")
    verdict: dict[str, object] = dict.fromkeys(words, "") | {"cpe": [], "soft": False}
    return json.dumps(head | verdict | {"source": source}, ensure_ascii=True)


def record(made: Farm, asked: Sequence[Question]) -> Iterator[tuple[Question, bytes]]:
    """Each question with its answer, in order. A connection that fails is told on standard error and left out."""

    def one(question: Question) -> bytes:
        with inside(made.scanner.name):
            try:
                return ask(made.address, question)
            except OSError as error:
                listener = question.listener
                print(f"# {question.recipe.name} {listener.number} {question.probe.name}: {error}", file=sys.stderr)
                return b""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from zip(asked, pool.map(one, asked), strict=True)


def main(arguments: Sequence[str]) -> int:
    """Record; the exit status is 1 when a server did not start."""
    parser = argparse.ArgumentParser(prog="scripts/record", description=__doc__)
    parser.add_argument("--probe", action="append", default=[], metavar="NAME", help="only this probe (repeatable)")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long a first byte is waited for (default: 4)")
    parser.add_argument("--append", type=Path, metavar="FILE", help="append the lines to FILE instead")
    parser.add_argument("recipe", nargs="+", help="scripts/farm --list names them")
    options = parser.parse_args(arguments)
    end_kindly()
    recipes = chosen(options.recipe)
    asked = list(questions(recipes, options.probe, options.seconds))
    with farm(recipes, strict=False) as made, contextlib.ExitStack() as stack:
        for name, problem in made.failed.items():
            print(f"# {name} failed: {problem}", file=sys.stderr)
        output = stack.enter_context(options.append.open("a", encoding="ascii")) if options.append else sys.stdout
        sources = {recipe.name: source_of(recipe) for recipe in made.running}
        for question, answer in record(made, [each for each in asked if each.recipe in made.running]):
            listener = question.listener
            tunnel = f" over {question.tunnel}" if question.tunnel else ""
            place = f"{question.recipe.name} {listener.number}/{listener.protocol}{tunnel} {question.probe.name}"
            print(f"# {place}: {len(answer)} bytes {answer[:60]!r}", file=sys.stderr)
            if answer:
                print(record_line(question, answer, sources[question.recipe.name]), file=output, flush=True)
        return 1 if made.failed else 0


if __name__ == "__main__":
    began = time.monotonic()
    status = main(sys.argv[1:])
    print(f"# {time.monotonic() - began:.1f} s", file=sys.stderr)
    sys.exit(status)
