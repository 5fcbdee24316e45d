"""What a JSON-lines file says of one host, gathered line by line in bounded memory.

Lines that are no events are counted, never an error. Of hosts that are not asked for only a few addresses are kept, to
say what is there instead. What was told of a host before its name was known is kept until that host is done.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import field
from ipaddress import ip_address

from leadline.model.quick_dataclass import dataclass
from leadline.report.fields import Fields, each, inner, number, parse_fields, raw, whole

SCHEMA = "leadline-events/1"
MOST_NAMED = 8
MOST_PACES = 60
MOST_EARLY = 5000
MOST_PORTS = 1000
_KIND = re.compile(r'\s*\{\s*"event"\s*:\s*"(\w+)"')
_STATUS = re.compile(r'"host":\{"address":"([^"\\]{1,80})","status":"(\w+)"')
_OF_HOSTS = frozenset({"host_found", "port_found", "timing_decision"})
_OTHERS = frozenset({"scan_started", "task_started", "task_ended", "notice", "scan_ended", "host_done", "hosts_silent"})
KNOWN = _OF_HOSTS | _OTHERS | {"task_progress", "target_skipped", "packet_traced", "service_traced"}
"""The events that are known by name."""


@dataclass(slots=True)
class Pace:
    """Decisions of one kind and cause, as one: the first value, the last one, and how many there were."""

    what: str
    cause: str
    first_at: float
    last_at: float
    old: float | None
    new: float | None
    count: int = 1


@dataclass(slots=True)
class Early:
    """What was told of a host before it was done. ``more``: decisions of further kinds, only counted."""

    found: Fields = field(default_factory=dict)
    ports: list[Fields] = field(default_factory=list)
    paces: dict[tuple[str, str], Pace] = field(default_factory=dict)
    more: int = 0

    def decide(self, event: Fields) -> None:
        """Take one ``timing_decision``."""
        key = (raw(event, "what"), raw(event, "cause"))
        at, old, new = number(event, "at") or 0.0, number(event, "old"), number(event, "new")
        pace = self.paces.get(key)
        if pace is not None:
            pace.last_at, pace.new, pace.count = at, new, pace.count + 1
        elif len(self.paces) < MOST_PACES:
            self.paces[key] = Pace(*key, at, at, old, new)
        else:
            self.more += 1


@dataclass(slots=True)
class Recording:
    """Feed it lines, then read it. ``wanted``: an address or a name, as typed.

    ``host``: the finished host (empty: none), ``early`` what was told of it before; ``others``: further hosts of the
    same name; ``named``: some hosts that are up; ``silent``: hosts of sweeps that are only counted, ``silent_told``:
    the last line that does so; ``bad``: lines that are no events, ``scans`` in the file.
    """

    wanted: str
    address: str = ""
    started: Fields = field(default_factory=dict)
    ended: Fields = field(default_factory=dict)
    host: Fields = field(default_factory=dict)
    group: Early = field(default_factory=Early)
    tasks: deque[Fields] = field(default_factory=lambda: deque(maxlen=64))
    notices: list[Fields] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    lines: int = 0
    hosts: int = 0
    up: int = 0
    silent: int = 0
    silent_told: Fields = field(default_factory=dict)
    bad: int = 0
    scans: int = 0
    _early: dict[str, Early] = field(default_factory=dict)
    _needle: str = ""

    def __post_init__(self) -> None:
        try:
            self.address = self._needle = str(ip_address(self.wanted))
        except ValueError:
            self.wanted = self.wanted.rstrip(".").lower()

    @property
    def early(self) -> Early:
        """What was told of the host before it was done (empty: nothing)."""
        return self._early.get(self.address, Early())

    @property
    def known(self) -> bool:
        """Whether anything is said of this host."""
        return bool(self.host) or self.address in self._early

    def feed(self, line: str) -> bool:
        """Take one line; says whether it is an event. Never raises."""
        self.lines += 1
        start = _KIND.match(line)
        kind = start[1] if start else ""
        if kind in KNOWN and line.rstrip().endswith("}"):
            foreign = self._needle and kind in _OF_HOSTS and self._needle not in line and '"address":null' not in line
            if foreign or kind not in _OF_HOSTS | _OTHERS:
                return True
            if kind == "host_done" and not self._may_be_it(line):
                return True
        event = parse_fields(line)
        if event is None or not raw(event, "event"):
            self.bad += bool(line.strip())
            return False
        self._take(raw(event, "event"), event)
        return True

    def _may_be_it(self, line: str) -> bool:
        """Count a finished host, and say whether its line is worth reading."""
        self.hosts += 1
        status = _STATUS.search(line, 0, 400)
        if status is not None and status[2] == "up":
            self.up += 1
            if len(self.named) < MOST_NAMED:
                self.named.append(status[1])
        # A name in capital or foreign letters has other spellings in JSON.
        return not self._needle or self._needle in line

    def _take(self, kind: str, event: Fields) -> None:
        address = raw(event, "address")
        match kind:
            case "scan_started":
                self._begin(event)
            case "scan_ended":
                self.ended = event
            case "task_started" | "task_ended":
                if not self.host:
                    self.tasks.append(event)
            case "notice":
                if raw(event, "level") in ("warning", "error") and len(self.notices) < MOST_NAMED:
                    self.notices.append(event)
            case "hosts_silent":
                self.silent += whole(event, "count")
                self.silent_told = event
            case "host_done":
                self._done(inner(event, "host"))
            case "timing_decision" if event.get("address") is None:
                if not self.host:
                    self.group.decide(event)
            case "host_found" | "port_found" | "timing_decision" if address:
                self._told(kind, address, event)

    def _begin(self, event: Fields) -> None:
        """The first scan of the file that knows the host counts; others begin anew (``--append-output``)."""
        self.scans += 1
        if not self.host:
            self.started, self.ended = event, {}
            self.group = Early()
            self.tasks.clear()
            self._early.clear()
            self.notices.clear()

    def _told(self, kind: str, address: str, event: Fields) -> None:
        if self.host or (self._needle and address != self._needle):
            return
        early = self._early.get(address)
        if early is None:
            if len(self._early) >= MOST_EARLY:
                return
            early = self._early[address] = Early()
        if kind == "host_found":
            early.found = event
            if self._is_named(event):
                self.address = address
        elif kind == "port_found":
            if len(early.ports) < MOST_PORTS:
                early.ports.append(inner(event, "port"))
        else:
            early.decide(event)

    def _is_named(self, host: Fields) -> bool:
        names = (raw(name, "name").rstrip(".").lower() for name in each(host, "hostnames"))
        return not self._needle and self.wanted in names

    def _done(self, host: Fields) -> None:
        address = raw(host, "address")
        if address != self._needle and not self._is_named(host):
            if address != self.address:
                self._early.pop(address, None)
        elif not self.host:
            self.host, self.address = host, address
        elif address != self.address and len(self.others) < MOST_NAMED:
            self.others.append(address)
