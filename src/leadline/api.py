"""The Python API: one scan as a stream of events (async or plain), or simply its hosts."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

from leadline.engine.control import Control
from leadline.errors import UsageError
from leadline.link.base import Network
from leadline.model.event import Event, HostDone
from leadline.model.host import Host
from leadline.model.plan import Plan
from leadline.net.base import Resolver
from leadline.plan.build import build_plan
from leadline.plan.options import Options, PingRequest

# Events that may wait for a slow reader; then the scan waits too (and measures no round trips meanwhile).
MOST_WAITING = 65_536


class ScanArguments(TypedDict, total=False):
    """Keyword arguments of ``scan`` and ``scan_hosts``; each is an option of the command line under its own name.

    ``ports``: as ``-p``. ``technique``: ``syn`` or ``connect`` (default: what the rights allow). ``discovery``:
    ``ping`` (default), ``none`` (-Pn: all are up), ``only`` (-sn) or ``list`` (-sL). ``pings``: discovery probes,
    for instance ``PingRequest("tcp-syn", "22,80")``. ``timing``: template 0 to 5. Times are seconds, rates packets
    a second. ``reverse``: ``never`` (-n) or ``all`` (-R); default: names of hosts that are up. ``seed``: makes
    every random order repeatable. ``network`` and ``resolver``: other than this machine's own (``leadline.sim``).
    """

    ports: str
    top_ports: int
    exclude_ports: str
    technique: str
    discovery: str
    pings: Sequence[PingRequest]
    exclude: Sequence[str]
    randomize_hosts: bool
    resolve_all: bool
    unique: bool
    family: int
    reverse: str
    dns_servers: Sequence[str]
    timing: int
    max_retries: int
    host_timeout: float
    scan_delay: float
    min_rate: float
    max_rate: float
    min_parallelism: int
    max_parallelism: int
    open_only: bool
    verbosity: int
    seed: int
    network: Network
    resolver: Resolver


class Scan:
    """One scan, not begun yet. Iterate over it once, with ``for`` or ``async for``; ``hosts`` runs it to its end.

    ``plan`` is what will be done. Leaving an ``async for`` early stops the scan; ``stop`` does so from anywhere.
    """

    def __init__(self, plan: Plan, network: Network, resolver: Resolver) -> None:
        self.plan = plan
        self._network, self._resolver = network, resolver
        self._control = Control()

    def stop(self, reason: str = "stopped by the caller") -> None:
        """End the scan soon; the events that follow tell what was found until then."""
        self._control.stop = self._control.stop or reason

    def __iter__(self) -> Iterator[Event]:
        from leadline.pipeline import run

        return run(self.plan, self._network, self._resolver, self._control)

    def hosts(self) -> list[Host]:
        """Run the scan and give its hosts, those that are down included."""
        return [event.host for event in self if isinstance(event, HostDone)]

    async def __aiter__(self) -> AsyncIterator[Event]:
        feed = _Feed(self, asyncio.get_running_loop())
        try:
            while (event := await feed.next()) is not None:
                yield event
        finally:
            self.stop()
            await feed.ended()


class _Feed:
    """Carries events from the thread that scans to the event loop that reads."""

    def __init__(self, scan: Scan, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Event] = deque()
        self._room = threading.Semaphore(MOST_WAITING)
        self._arrived = asyncio.Event()
        self._over = False
        self._closed = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(scan,), name="leadline scan", daemon=True)
        self._thread.start()

    def _run(self, scan: Scan) -> None:
        try:
            for event in scan:
                while not self._room.acquire(timeout=0.5):
                    if self._closed.is_set():
                        break
                self._waiting.append(event)
                self._loop.call_soon_threadsafe(self._arrived.set)
        except BaseException as error:  # noqa: BLE001 - raised again where the events are read
            self._failure = error
        finally:
            self._over = True
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def next(self) -> Event | None:
        while True:
            if self._waiting:
                self._room.release()
                return self._waiting.popleft()
            if self._over:
                if self._failure is not None:
                    raise self._failure
                return None
            await self._arrived.wait()
            self._arrived.clear()

    async def ended(self) -> None:
        self._closed.set()
        await asyncio.to_thread(self._thread.join)


def scan(targets: str | Sequence[str], **arguments: Unpack[ScanArguments]) -> Scan:
    """Prepare a scan of ``targets`` (expressions as on the command line; a string is split at blanks).

    Raises ``UsageError`` with every mistake at once, before anything is sent; ``PrivilegeError`` for what cannot
    be done without the right to send raw packets.
    """
    from leadline.link.kernel import KernelNetwork
    from leadline.net.resolve import make_resolver

    network = arguments.get("network") or KernelNetwork()
    plan = build_plan(_options(targets, arguments), network.can_send_raw())
    return Scan(plan, network, arguments.get("resolver") or make_resolver(plan.resolve))


def scan_hosts(targets: str | Sequence[str], **arguments: Unpack[ScanArguments]) -> list[Host]:
    """Scan and wait for all hosts: ``scan(...).hosts()``."""
    return scan(targets, **arguments).hosts()


_DISCOVERY = {
    "ping": Options(),
    "none": Options(skip_discovery=True),
    "only": Options(ping_scan=True),
    "list": Options(list_scan=True),
}


def _options(targets: str | Sequence[str], arguments: ScanArguments) -> Options:
    unknown = sorted(set(arguments) - set(ScanArguments.__annotations__))
    mistakes = [f"scan() has no argument {name!r}." for name in unknown]
    discovery = arguments.get("discovery", "ping")
    if discovery not in _DISCOVERY:
        mistakes.append(f"discovery must be one of {', '.join(_DISCOVERY)}, not {discovery!r}.")
    if mistakes:
        raise UsageError(*mistakes)
    names = tuple(targets.split()) if isinstance(targets, str) else tuple(targets)
    values: dict[str, object] = {"targets": names, "arguments": ("leadline.scan", *names)}
    for name, value in arguments.items():
        if name == "technique":
            values["techniques"] = (value,)
        elif name in ("pings", "exclude", "dns_servers"):
            values[name] = tuple(value) if not isinstance(value, str) else (value,)  # type: ignore[arg-type]
        elif name not in ("discovery", "network", "resolver"):
            values[name] = value
    return replace(_DISCOVERY[discovery], **values)  # type: ignore[arg-type]
