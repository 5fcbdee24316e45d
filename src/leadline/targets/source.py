"""The stream of targets of one scan: every list, name and exclusion of the plan, as blocks of addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from leadline.data.port_spec import parse_ports
from leadline.data.services import Services
from leadline.errors import UsageError
from leadline.model.event import Notice, TargetSkipped
from leadline.model.ip import Address
from leadline.model.plan import TargetPlan
from leadline.model.port import Protocol
from leadline.model.port_set import PortSet
from leadline.model.target import TargetBlock
from leadline.net.base import Resolver
from leadline.targets.address_set import AddressSet
from leadline.targets.exclude import exclusions
from leadline.targets.extent import internet_mistake, left_out_of, left_out_words
from leadline.targets.input_file import expressions
from leadline.targets.permute import Permutation
from leadline.targets.public import random_public
from leadline.targets.shape import Octets, Span
from leadline.targets.space import MOST_HOSTS, HostSpace
from leadline.targets.spec import Named, TargetSpec, block_around, parse_target
from leadline.targets.window import Item, Packer, Targets, Window

Parsed: TypeAlias = TargetSpec | TargetSkipped

_NAMES_AT_ONCE = 256  # resolved in parallel
_SPECS_AHEAD = 4096  # that may wait for these names
_SHUFFLED_ITEMS = 65536  # shuffled among each other; a longer list is shuffled in pieces of this many items
_PIECE = 1 << 62  # addresses of one item of a window: the sum of a window's stays below 2**64
_RANDOM_COLUMN = 65536


class TargetSource:
    """Gives the targets of a plan, once: ``blocks`` may be called a single time.

    ``resolver`` looks up names, many at a time; ``services`` names ports (``None``: the packaged table);
    ``random_key`` (up to 64 bytes) decides every random order, unless the plan has a seed; ``files(path, stop)`` gives
    the lines of a list (``net.waited_lines.read_lines``); ``protocols``: what ports without prefix mean; ``stop``
    ends the stream early. Raises ``UsageError`` with all mistakes of the command line's expressions, at once.
    """

    def __init__(
        self,
        plan: TargetPlan,
        resolver: Resolver,
        services: Services | None,
        random_key: bytes,
        files: Callable[[str, Callable[[], bool]], Iterable[str]],
        protocols: tuple[Protocol, ...] = (Protocol.TCP,),
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._plan = plan
        self._resolver = resolver
        self._files = files
        self._stop = stop
        # Shards share one order also where nobody named a seed.
        seed = 0 if plan.seed is None and plan.shard.count > 1 else plan.seed
        self._key = random_key if seed is None else hashlib.blake2b(str(seed).encode()).digest()
        self._sweep_from: int | None = None
        self._announced: set[str] = set()
        self._seen = AddressSet()
        self._excluded = AddressSet()

        @lru_cache(maxsize=1024)
        def port_list(text: str) -> PortSet:
            return parse_ports(text, protocols, services)

        self._port_list = port_list
        self._typed = self._parse_all(plan.expressions)

    def blocks(
        self, size: int, sweep_from: int | None = None
    ) -> Iterator[TargetBlock | TargetSkipped | Notice | HostSpace]:
        """Blocks of ``size`` targets (the last of each family smaller), and what gave none, as soon as it is known.

        With ``sweep_from``, so many plain addresses or more (no names, scopes or ports of their own) come as one space
        for each family instead, every address once. Raises ``UsageError`` when an exclusion is not understood, a list
        cannot be read, or about the whole Internet is to be scanned without an exclude file.
        """
        self._sweep_from = sweep_from
        self._excluded = exclusions(self._exclude_expressions(), self._resolver, self._stop)
        packers = {family: Packer(family, size) for family in (4, 6)}
        for part in self._stream(size):
            if isinstance(part, Targets):
                yield from packers[part.family].add(part)
            else:
                yield part
            if self._stop():
                return
        for packer in packers.values():
            yield from packer.rest()

    # ---- the list, expression by expression

    def _parse_all(self, texts: Iterable[str]) -> list[TargetSpec]:
        specs: list[TargetSpec] = []
        mistakes: list[str] = []
        for text in texts:
            try:
                specs.append(parse_target(text, self._port_list))
            except UsageError as error:
                mistakes.extend(error.messages)
        if mistakes:
            raise UsageError(*mistakes)
        return specs

    @property
    def _exclusion_files(self) -> tuple[str, ...]:
        """Asked for where something is going to be sent."""
        return self._plan.exclude_files if self._plan.sends else ("",)

    def _exclude_expressions(self) -> Iterator[str]:
        yield from self._plan.exclude
        for path in self._plan.exclude_files:
            yield from expressions(self._files(path, self._stop))

    def _parsed(self) -> Iterator[Parsed]:
        """Typed expressions, then the lists; a wrong line of a list is skipped, with the sentence that says why."""
        yield from self._typed
        for path in self._plan.input_files:
            for text in expressions(self._files(path, self._stop)):
                try:
                    yield parse_target(text, self._port_list)
                except UsageError as error:
                    yield TargetSkipped(0.0, text[:256], " ".join(error.messages))

    # ---- names become addresses

    def _items(self) -> Iterator[Item | TargetSkipped | Notice]:
        """Items in the order of the list; names are gathered ahead and resolved together."""
        waiting: list[Parsed] = []
        names = 0
        for spec in self._parsed():
            if self._stop():
                return
            is_name = isinstance(spec, TargetSpec) and isinstance(spec.shape, Named)
            if not names and not is_name:
                yield from self._finished(spec, {})
                continue
            waiting.append(spec)
            names += is_name
            if names >= _NAMES_AT_ONCE or len(waiting) >= _SPECS_AHEAD:
                yield from self._resolved(waiting)
                waiting, names = [], 0
        yield from self._resolved(waiting)

    def _resolved(self, waiting: list[Parsed]) -> Iterator[Item | TargetSkipped | Notice]:
        shapes = [spec.shape for spec in waiting if isinstance(spec, TargetSpec)]
        names = list(dict.fromkeys(shape.name for shape in shapes if isinstance(shape, Named)))
        answers = self._resolver.forward(names, self._plan.families, self._stop) if names else {}
        if not self._stop():
            for spec in waiting:
                yield from self._finished(spec, answers)

    def _finished(
        self, spec: Parsed, answers: dict[str, tuple[Address, ...]]
    ) -> Iterator[Item | TargetSkipped | Notice]:
        if isinstance(spec, TargetSkipped):
            yield spec
        elif isinstance(spec.shape, Named):
            yield from self._named(spec, spec.shape, answers.get(spec.shape.name, ()))
        elif spec.shape.family not in self._plan.families:
            yield TargetSkipped(0.0, spec.text, f"IPv{spec.shape.family} is not scanned")
        else:
            yield from self._remaining(spec, Item(spec.shape, scope=spec.scope, ports=spec.ports))

    def _named(
        self, spec: TargetSpec, shape: Named, addresses: tuple[Address, ...]
    ) -> Iterator[Item | TargetSkipped | Notice]:
        """A name's first address (all with ``resolve_all``), or the block around it."""
        first = 6 if self._plan.prefer_v6 else 4
        usable = [address for address in dict.fromkeys(addresses) if address.version in self._plan.families]
        usable.sort(key=lambda address: address.version != first)
        fitting = [address for address in usable if shape.bits is None or shape.bits <= address.max_prefixlen]
        if not fitting:
            reason = f"no address has a prefix of {shape.bits} bits" if usable else "unresolvable"
            yield TargetSkipped(0.0, spec.text, reason)
            return
        for address in fitting if self._plan.resolve_all else fitting[:1]:
            bits = address.max_prefixlen if shape.bits is None else shape.bits
            others = () if self._plan.resolve_all else tuple(other for other in usable if other != address)
            block = block_around(address.version, int(address), bits)
            yield from self._remaining(spec, Item(block, shape.name, address, others, "", spec.ports))

    # ---- exclusions and repeats are taken out

    def _remaining(self, spec: TargetSpec, item: Item) -> Iterator[Item | TargetSkipped | Notice]:
        """What of an item is neither special, excluded nor (with ``unique``) there already."""
        special = left_out_of(item.shape)
        if special:
            words = left_out_words(spec.text, item.shape)
            if words and words not in self._announced:
                self._announced.add(words)
                yield Notice(0.0, "warning", words)
        plain = self._without(item, special)
        left = [part for one in plain for part in self._without(one, self._excluded)]
        if not left:
            yield TargetSkipped(0.0, spec.text, "excluded")
        for part in left:
            if not self._plan.unique:
                yield part
                continue
            yield from self._without(part, self._seen)
            self._seen.add(part.shape)

    @staticmethod
    def _without(item: Item, left_out: AddressSet) -> list[Item]:
        if not left_out:
            return [item]
        if isinstance(item.shape, Octets):
            return [replace(item, without=(*item.without, left_out.copy()))]
        without = (*item.without, left_out.patterns) if left_out.has_patterns else item.without
        return [replace(item, shape=span, without=without) for span in left_out.subtract(item.shape)]

    # ---- items become columns

    def _stream(self, size: int) -> Iterator[Targets | TargetSkipped | Notice | HostSpace]:
        """Windows of items, in list order or shuffled; random public addresses last."""
        waiting: list[Item] = []
        addresses = 0
        gathers = self._plan.randomize or self._plan.shard.count > 1 or self._sweep_from is not None
        for item in self._items():
            if not isinstance(item, Item):
                yield item
                continue
            pieces = item.shape.pieces(_PIECE) if isinstance(item.shape, Span) else iter((item.shape,))
            for piece in pieces:
                waiting.append(replace(item, shape=piece) if piece is not item.shape else item)
                addresses += piece.count
                full = len(waiting) >= _SHUFFLED_ITEMS or addresses >= _PIECE
                if full or (addresses >= size and not gathers):
                    yield from self._work(waiting, size)
                    waiting, addresses = [], 0
        if waiting:
            yield from self._work(waiting, size)
        if self._plan.random is not None:
            yield from self._random()

    def _work(self, items: list[Item], size: int) -> Iterator[Targets | HostSpace]:
        """A window's worth of items, what is large enough to be swept apart from the rest."""
        internet = internet_mistake(
            (item.shape.count for item in items if item.shape.family == 4), self._exclusion_files
        )
        if internet:
            raise UsageError(internet)
        if self._sweep_from is not None:
            for family in (4, 6):
                plain = [item for item in items if item.shape.family == family and not item.annotated]
                total = sum(item.shape.count for item in plain)
                if total // self._plan.shard.count >= self._sweep_from and total <= MOST_HOSTS:
                    yield HostSpace(self._distinct(plain), self._key, self._plan.shard)
                    items = [item for item in items if item.annotated or item.shape.family != family]
        if items:
            yield from self._columns(items, size)

    def _distinct(self, items: list[Item]) -> list[Item]:
        """The same addresses, none of them in two items."""
        seen, distinct = AddressSet(), []
        for item in items:
            distinct += self._without(item, seen)
            seen.add(item.shape)
        return distinct

    def _columns(self, items: list[Item], size: int) -> Iterator[Targets]:
        window, shard = Window(items), self._plan.shard
        shuffled = self._plan.randomize or shard.count > 1
        permutation = Permutation(window.size, self._key) if shuffled else None
        step = size * shard.count
        for start in range(shard.index, window.size, step):
            index = np.arange(start, min(start + step, window.size), shard.count, dtype=np.uint64)
            yield from window.targets(index if permutation is None else permutation.at(index))
            if self._stop():
                return

    def _random(self) -> Iterator[Targets | TargetSkipped]:
        if 4 not in self._plan.families:
            yield TargetSkipped(0.0, "-iR", "random targets are IPv4 addresses, which are not scanned")
            return
        left = self._plan.random or 1 << 32
        before = 0
        for lo in random_public(self._key, _RANDOM_COLUMN):
            hi = np.zeros(len(lo), np.uint64)
            keep = ~(self._excluded.contains(4, hi, lo) | self._seen.contains(4, hi, lo))
            lo = lo[keep][:left]
            left -= len(lo)
            place, shard = before + np.arange(len(lo)), self._plan.shard
            before += len(lo)
            lo = lo[place % shard.count == shard.index]
            yield Targets(4, hi[: len(lo)], lo)
            if left == 0 or self._stop():
                return
