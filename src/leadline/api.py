"""The Python API: one scan as a stream of events (async or plain), or simply its hosts."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypedDict, Unpack, get_type_hints

from leadline.data.port_spec import parse_ports
from leadline.data.rule_files import find_rules, rules_mistakes
from leadline.engine.control import Control
from leadline.errors import UsageError
from leadline.link.base import Network
from leadline.model.event import Event, HostDone
from leadline.model.host import Host
from leadline.model.plan import Plan
from leadline.model.port import Protocol
from leadline.model.swept import HostsSwept
from leadline.net.base import Resolver
from leadline.plan.build import build_plan, find_mistakes
from leadline.plan.options import Options, PingRequest
from leadline.plan.service_choice import reads_rules
from leadline.targets.spec import parse_target

# Events that may wait for a slow reader; then the scan waits too (and measures no round trips meanwhile).
MOST_WAITING = 65_536


class ScanArguments(TypedDict, total=False):
    """Keyword arguments of ``scan`` and ``scan_hosts``; each is an option of the command line under its own name.

    ``ports``: as ``-p``. ``technique``: values of ``model.plan.Technique``, one such as ``connect`` or several such as
    ``["syn", "udp"]`` (default: TCP as the rights allow); ``scan_flags``: as ``--scanflags``. ``discovery``:
    ``ping`` (default), ``none`` (-Pn: all are up), ``only`` (-sn) or ``list`` (-sL). ``pings``: discovery probes,
    for instance ``PingRequest("tcp-syn", "22,80")``. ``timing``: template 0 to 5. Times are seconds, rates packets
    a second. ``reverse``: ``never`` (-n) or ``all`` (-R); default: names of hosts that are up. ``seed``: makes
    every random order repeatable. ``versions``: find out what runs behind open ports (-sV).
    ``patient``: as ``--version-wait patient``. ``proxies``: URLs, nearest first. ``network`` and ``resolver``: other
    than this machine's own (``leadline.sim``).

    ``zombie`` (-sI) and ``relay`` (-b) choose their techniques.

    The shape of packets: ``mtu`` (8 is ``-f``), ``decoys`` (-D), ``source_address`` (-S), ``interface`` (-e),
    ``source_port`` (-g), ``data_hex`` (--data), ``data_string`` or ``data_length``, ``ip_options``, ``ttl``,
    ``spoof_mac``, ``badsum``; ``send_layer``: ``ethernet`` or ``ip``.
    """

    ports: str
    top_ports: int
    exclude_ports: str
    technique: Sequence[str]
    scan_flags: str
    zombie: str
    relay: str
    adler32: bool
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
    max_open_ports: int
    host_timeout: float
    scan_delay: float
    min_rate: float
    max_rate: float
    min_parallelism: int
    max_parallelism: int
    open_only: bool
    verbosity: int
    seed: int
    versions: bool
    version_intensity: int
    version_wait: float
    patient: bool
    version_trace: bool
    allports: bool
    versiondb: str
    datadir: str
    proxies: Sequence[str]
    mtu: int
    decoys: Sequence[str]
    source_address: str
    interface: str
    source_port: int
    data_hex: str
    data_string: str
    data_length: int
    ip_options: str
    ttl: int
    spoof_mac: str
    badsum: bool
    send_layer: str
    network: Network
    resolver: Resolver


class Scan:
    """One scan, not begun yet. Iterate over it once, with ``for`` or ``async for``; ``hosts`` runs it to its end.

    ``plan`` is what will be done. Leaving a loop early stops the scan; ``stop`` does so from anywhere. A second
    iteration raises ``RuntimeError``.
    """

    def __init__(self, plan: Plan, network: Network, resolver: Resolver) -> None:
        self.plan = plan
        self._network, self._resolver = network, resolver
        self._control = Control()
        self._begun = False

    def stop(self, by: str = "the caller") -> None:
        """End the scan soon; the events that follow tell what was found until then.

        ``ScanEnded`` says "interrupted by" whatever ``by`` is. May be called from any thread.
        """
        self._control.stop = self._control.stop or by

    def __iter__(self) -> Iterator[Event]:
        from leadline.pipeline import run

        if self._begun:
            raise RuntimeError("a scan can be iterated over once; scan() prepares another one")
        self._begun = True
        return run(self.plan, self._network, self._resolver, self._control)

    def hosts(self) -> list[Host]:
        """Run the scan and give its hosts, those that are down included (not those of a sweep that never answered)."""
        hosts: list[Host] = []
        for event in self:
            if isinstance(event, HostDone):
                hosts.append(event.host)
            elif isinstance(event, HostsSwept):
                hosts += event.hosts()
        return hosts

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
                if self._room_for_one_more():
                    self._waiting.append(event)
                    self._wake()
                else:
                    scan.stop()
        except BaseException as error:  # noqa: BLE001 - raised again where the events are read
            self._failure = error
        finally:
            self._over = True
            self._wake()

    def _room_for_one_more(self) -> bool:
        """Wait for a slow reader; ``False`` once nobody reads any more."""
        while not self._closed.is_set() and not self._loop.is_closed():
            if self._room.acquire(timeout=0.5):
                return True
        return False

    def _wake(self) -> None:
        # A loop that was closed without finishing its generators has no reader to wake.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrived.set)

    async def next(self) -> Event | None:
        while True:
            # Asked before looking at what waits: the last event may come in between.
            over = self._over
            if self._waiting:
                self._room.release()
                return self._waiting.popleft()
            if over:
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

    Raises ``UsageError`` with every mistake at once, before anything is sent (arguments that do not exist or are of
    the wrong kind among them); ``PrivilegeError`` for what cannot be done without the right to send raw packets.
    """
    from leadline.link.kernel import KernelNetwork
    from leadline.net.resolve import make_resolver

    options = _options(targets, arguments)
    network = arguments.get("network") or KernelNetwork()
    plan = build_plan(options, network.can_send_raw())
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


_KINDS: dict[object, tuple[type | tuple[type, ...], str]] = {
    str: (str, "text"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
    bool: (bool, "True or False"),
    Sequence[str]: (str, "a list of texts"),
    Sequence[PingRequest]: (PingRequest, "a list of PingRequest"),
}
_NOT_OPTIONS = ("network", "resolver")


def _options(targets: str | Sequence[str], arguments: ScanArguments) -> Options:
    """Raises ``UsageError`` with the mistakes in the arguments, and those in what is right of them so far."""
    values: dict[str, object] = {}
    mistakes: list[str] = []
    kinds = get_type_hints(ScanArguments)
    for name, value in {"targets": targets, **arguments}.items():
        kind = Sequence[str] if name == "targets" else kinds.get(name)
        if kind is None:
            mistakes.append(f"scan() has no argument {name!r}.")
        elif name in _NOT_OPTIONS:
            continue
        elif _fits(value, kind):
            values[name] = value
        else:
            mistakes.append(f"{name} must be {_KINDS[kind][1]}, not {value!r}.")
    discovery = values.pop("discovery", "ping")
    if discovery not in _DISCOVERY:
        mistakes.append(f"discovery must be one of {', '.join(_DISCOVERY)}, not {discovery!r}.")
    if "technique" in values:
        values["techniques"] = values.pop("technique")
    typed = values.get("targets", "0.0.0.0")  # a list that is no list was told above
    values["targets"] = typed.split() if isinstance(typed, str) else typed
    for name in ("targets", "pings", "exclude", "dns_servers", "proxies", "decoys", "techniques"):
        if name in values:
            values[name] = _tuple_of(values[name])
    options = replace(_DISCOVERY.get(str(discovery), Options()), **values)  # type: ignore[arg-type]
    mistakes += [*find_mistakes(options), *_target_mistakes((*options.targets, *options.exclude))]
    if reads_rules(options):
        mistakes += rules_mistakes(*find_rules(options.versiondb, options.datadir, None))
    if mistakes:
        raise UsageError(*mistakes)
    return replace(options, arguments=("leadline.scan", *options.targets))


def _fits(value: object, kind: object) -> bool:
    wanted, _ = _KINDS[kind]
    if kind not in (Sequence[str], Sequence[PingRequest]):
        return isinstance(value, wanted) and (kind is bool or not isinstance(value, bool))
    if isinstance(value, str):
        return wanted is str  # one text stands for a list of one
    return isinstance(value, Sequence) and all(isinstance(one, wanted) for one in value)


def _tuple_of(value: object) -> tuple[object, ...]:
    return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]


def _target_mistakes(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        try:
            parse_target(text, lambda ports: parse_ports(ports, (Protocol.TCP,)))
        except UsageError as error:
            yield from error.messages
