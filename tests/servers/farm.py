"""The farm: one namespace in which chosen recipes run, a scanner's namespace on the same cable."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.recipe import Listener, Place, Recipe, ServerError, end_all, make_certificate, own_files, start
from tests.support.netns import Namespace, on_link_lab

# Every port is reached by this much higher as well, where that is a port of nobody.
SHIFT = 20_000
AT_ONCE = 2


@dataclass(slots=True)
class Farm:
    """``running``: the recipes that listen; ``failed``: why the others don't; ``shifted``: shifted port -> own port."""

    scanner: Namespace
    namespace: Namespace
    address: str
    address_v6: str
    folder: Path
    running: list[Recipe] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    shifted: dict[tuple[str, int], int] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)

    def listeners(self, protocol: str = "tcp") -> dict[int, tuple[Recipe, Listener]]:
        """Each port, shifted ones too, with its server."""
        own = {
            listener.number: (recipe, listener)
            for recipe in self.running
            for listener in recipe.listeners
            if listener.protocol == protocol
        }
        moved = {number: own[base] for (kind, number), base in self.shifted.items() if kind == protocol}
        return dict(sorted((own | moved).items()))

    def place(self, recipe: Recipe) -> Place:
        """A new place for a server, in a folder named after it."""
        folder = self.folder / recipe.name
        folder.mkdir()
        folder.chmod(0o777)
        certificate, key = make_certificate(self.folder)
        place = Place(self.namespace, folder, certificate, key)
        self.places.append(place)
        return place


def end_kindly() -> None:
    """For programs: SIGTERM ends them like Ctrl-C, so that the farm is taken down."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextlib.contextmanager
def farm(recipes: Sequence[Recipe], *, shift: bool = False, strict: bool = True) -> Iterator[Farm]:
    """Run ``recipes`` while the block runs. ``strict``: one that fails raises ``ServerError``; else it is noted."""
    folder = Path(tempfile.mkdtemp(prefix="leadline-farm-"))
    folder.chmod(0o755)
    try:
        with on_link_lab() as lab, own_files(lab.target):
            made = Farm(lab.scanner, lab.target, lab.target_v4, lab.target_v6, folder)
            try:
                _start_all(made, recipes, strict)
                if shift:
                    _shift_ports(made)
                yield made
            finally:
                end_all(made.namespace, made.places)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_all(made: Farm, recipes: Sequence[Recipe], strict: bool) -> None:
    """A few at a time: the slow ones spend most of their time waiting."""

    def one(recipe: Recipe) -> str:
        try:
            start(recipe, made.place(recipe), company=len(recipes) > 1)
        except ServerError as error:
            return str(error)
        return ""

    make_certificate(made.folder)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for recipe, problem in zip(recipes, pool.map(one, recipes), strict=True):
            if not problem:
                made.running.append(recipe)
            elif strict:
                pool.shutdown(cancel_futures=True)
                raise ServerError(problem)
            else:
                made.failed[recipe.name] = problem


def _shift_ports(made: Farm) -> None:
    """Redirect port + SHIFT to port, for each port that may be shifted and whose shifted number is free."""
    lines = []
    for protocol in ("tcp", "udp"):
        own = made.listeners(protocol)
        for number, (recipe, _) in own.items():
            moved = number + SHIFT
            if recipe.shifted and moved <= 65535 and moved not in own:
                made.shifted[protocol, moved] = number
                lines.append(f"    {protocol} dport {moved} redirect to :{number}")
    body = "\n".join(lines)
    chain = f"  chain moved {{\n    type nat hook prerouting priority dstnat;\n{body}\n  }}"
    rules = f"table inet shift {{\n{chain}\n}}\n"
    done = subprocess.run(
        made.namespace.command("nft", "-f", "-"), input=rules, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"nft: {done.stderr}\n{rules}")
