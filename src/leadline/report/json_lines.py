"""JSON lines: every event as one object on one line, with every field (docs/reference/json-lines.md).

Not a view for people: nothing is left out because of verbosity or ``--open``, and nothing is shortened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields

from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    Notice,
    PacketTraced,
    PortFound,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    ServiceTraced,
    TargetSkipped,
    TaskEnded,
    TaskProgress,
    TaskStarted,
    TimingDecision,
)
from leadline.model.evidence import Evidence
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.ip import Address
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, PortSummary, Protocol, Reason
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.service_object import Json, service_object
from leadline.report.swept import JSON, swept_text
from leadline.report.words import PROTOCOL_LABEL, REASON_LABEL, STATE_LABEL

SCHEMA = "leadline-events/1"
"""Names the vocabulary in the first line; the number grows only when a field changes its meaning or goes away."""

EVENT_NAMES: Mapping[type[Event], str] = {
    ScanStarted: "scan_started",
    TaskStarted: "task_started",
    TaskProgress: "task_progress",
    TaskEnded: "task_ended",
    TargetSkipped: "target_skipped",
    HostFound: "host_found",
    PortFound: "port_found",
    HostDone: "host_done",
    HostsSilent: "hosts_silent",
    TimingDecision: "timing_decision",
    PacketTraced: "packet_traced",
    ServiceTraced: "service_traced",
    Notice: "notice",
    ScanEnded: "scan_ended",
}


class JsonLines:
    """``plan`` is taken for the sake of a common shape; the lines do not depend on it."""

    def __init__(self, plan: OutputPlan, colour: bool = False) -> None:
        self.plan = plan
        # ASCII only: no byte of the stream can drive a terminal, and lone surrogates cannot break the encoding.
        self._encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode

    def feed(self, event: Event) -> str:
        """The event's line, with its line end; a line for each host of a sweep, as if it had been scanned alone."""
        if isinstance(event, HostsSwept):
            return swept_text(event, lambda host: self._line(HostDone(event.at, host)), JSON)
        return self._line(event)

    def _line(self, event: Event) -> str:
        value = event_object(event)
        try:
            return self._encode(value) + "\n"
        except ValueError:
            return self._encode(_finite(value)) + "\n"


def event_object(event: Event) -> dict[str, Json]:
    """The event as plain JSON values; the first key, ``event``, says which kind it is."""
    extra: dict[str, Json] = {"schema": SCHEMA} if isinstance(event, ScanStarted) else {}
    head: dict[str, Json] = {"event": EVENT_NAMES[type(event)]}
    return head | extra | _plain_fields(event)


def _plain_fields(value: Event | ScanInfo | Hostname) -> dict[str, Json]:
    """The fields of a small value, in their order. What comes by the thousand has a function of its own below."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: object) -> Json:
    match value:
        case Protocol():
            return PROTOCOL_LABEL[value]
        case Reason():
            return REASON_LABEL[value]
        case PortState():
            return STATE_LABEL[value]
        case HostStatus():
            return value.label
        case None | str() | int() | float():
            return value
        case tuple():
            return [_plain(element) for element in value]
        case Port():
            return _port(value)
        case Host():
            return _host(value)
        case ScanInfo() | Hostname():
            return _plain_fields(value)
        case _:
            return str(value)


def _address(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _evidence(evidence: Evidence | None) -> Json:
    if evidence is None:
        return None
    return {
        "probe": evidence.probe,
        "tries": evidence.tries,
        "answered_try": evidence.answered_try,
        "reply": evidence.reply,
        "responder": _address(evidence.responder),
        "ttl": evidence.ttl,
        "rtt": evidence.rtt,
        "at": evidence.at,
        "rule": evidence.rule,
    }


def _port(port: Port) -> Json:
    return {
        "number": port.number,
        "protocol": PROTOCOL_LABEL[port.protocol],
        "state": STATE_LABEL[port.state],
        "reason": REASON_LABEL[port.reason],
        "reason_ttl": port.reason_ttl,
        "reason_address": _address(port.reason_address),
        "service": None if port.service is None else service_object(port.service),
        "evidence": _evidence(port.evidence),
    }


def _summary(summary: PortSummary) -> Json:
    return {
        "protocol": PROTOCOL_LABEL[summary.protocol],
        "state": STATE_LABEL[summary.state],
        "reason": REASON_LABEL[summary.reason],
        "ranges": [[first, last] for first, last in summary.ranges],
        "count": summary.count,
    }


def _host(host: Host) -> Json:
    return {
        "address": str(host.address),
        "status": host.status.label,
        "reason": REASON_LABEL[host.reason],
        "reason_ttl": host.reason_ttl,
        "reason_address": _address(host.reason_address),
        "hostnames": [_plain_fields(hostname) for hostname in host.hostnames],
        "other_addresses": [str(address) for address in host.other_addresses],
        "mac": host.mac,
        "vendor": host.vendor,
        "latency": host.latency,
        "rttvar": host.rttvar,
        "timeout": host.timeout,
        "started": host.started,
        "ended": host.ended,
        "evidence": _evidence(host.evidence),
        "ports": [_port(port) for port in host.ports],
        "summaries": [_summary(summary) for summary in host.summaries],
        "interrupted": host.interrupted,
        "timed_out": host.timed_out,
        "gave_up": host.gave_up,
        "silent_since": host.silent_since,
        "remarks": list(host.remarks),
    }


def _finite(value: Json) -> Json:
    """The same value with ``null`` for numbers that JSON cannot write (a limit that was infinite, say)."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(element) for element in value]
    if isinstance(value, dict):
        return {key: _finite(element) for key, element in value.items()}
    return value
