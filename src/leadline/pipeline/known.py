"""What is known of the targets of one block while the stages work on them, and how it becomes hosts."""

from __future__ import annotations

from dataclasses import field, replace

import numpy as np

from leadline.data.vendors import vendor_of
from leadline.discovery.stage import Outcome
from leadline.engine.partition import Part
from leadline.engine.progress import Tally
from leadline.engine.session import Session
from leadline.errors import LinkError
from leadline.model.event import HostDone, Notice
from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.port import MAYBE_OPEN, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.target import TargetBlock
from leadline.ports.stage import HostPorts

# Stages as hosts name them that were cut there; a port scan is named by its task.
DISCOVERY, NAMES = "discovery", "name resolution"

_STATUSES = {int(one): one for one in HostStatus}
_REASONS = {int(one): one for one in Reason}


@dataclass(slots=True)
class Known:
    """What is known so far of the targets of one block: hosts by their row. ``stage``: the last one that was begun;
    ``told``: rows whose ``HostDone`` was given; ``asked``: rows whose services are being asked for. ``complete``:
    discovery and names are through.
    """

    block: TargetBlock
    started: float
    stage: str = DISCOVERY
    told: set[int] = field(default_factory=set)
    hosts: dict[int, Host] = field(default_factory=dict)
    groups: list[tuple[Part, Outcome]] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    complete: bool = False

    @property
    def finished(self) -> bool:
        """Nothing more is to be told of any of them."""
        return self.complete and len(self.told) == len(self.hosts)


def host_of(known: Known, row: int, status: HostStatus, reason: Reason) -> Host:
    """A host of which nothing is known but its target."""
    name = known.block.names.get(row)
    return Host(
        address=known.block.address(row),
        status=status,
        reason=reason,
        hostnames=(Hostname(name, "user"),) if name else (),
        other_addresses=known.block.others.get(row, ()),
        started=known.started,
    )


def keep_outcome(known: Known, part: Part, outcome: Outcome, ended: float, tally: Tally) -> None:
    """Turn the outcome's columns into hosts. ``ended``: when they were finished, 0 when they are not."""
    group, block = outcome.group, known.block
    # Targets are many: whole columns become lists at once, and each host is made in one go.
    columns = zip(
        part.rows.tolist(), outcome.status.tolist(), outcome.reasons.tolist(), outcome.ttls.tolist(),
        group.srtt.tolist(), group.rttvar.tolist(), strict=True,
    )  # fmt: skip
    tally.hosts_up += int(np.count_nonzero(outcome.status == HostStatus.UP))
    for index, (row, state, reason, ttl, srtt, rttvar) in enumerate(columns):
        name, mac, status = block.names.get(row), outcome.mac(index), _STATUSES[state]
        known.hosts[row] = Host(
            address=block.address(row),
            status=status,
            reason=_REASONS[reason],
            reason_ttl=ttl,
            reason_address=outcome.responder(index),
            hostnames=(Hostname(name, "user"),) if name else (),
            other_addresses=block.others.get(row, ()),
            mac=mac,
            vendor=vendor_of(mac) if mac else "",
            latency=srtt if srtt >= 0 else None,
            rttvar=rttvar if srtt >= 0 else None,
            started=known.started,
            ended=ended,
            evidence=outcome.evidence(index),
            interrupted=DISCOVERY if status is HostStatus.UNKNOWN else "",
        )


def with_ports(host: Host, found: HostPorts) -> Host:
    """The host with what the port scan found out."""
    measured = found.srtt >= 0
    return replace(
        host,
        ports=found.ports,
        summaries=found.summaries,
        latency=found.srtt if measured else host.latency,
        rttvar=found.rttvar if measured else host.rttvar,
        timeout=found.timeout,
        interrupted=found.interrupted,
        timed_out=found.timed_out,
        gave_up=found.gave_up,
        silent_since=found.silent_since,
        remarks=(*host.remarks, *found.remarks),
    )


def has_open(host: Host) -> bool:
    """Whether any port may be open, so that somebody may be asked what runs there."""
    return any(port.state in MAYBE_OPEN for port in host.ports)


def no_route(block: TargetBlock, lost: list[int]) -> str:
    """One sentence about the targets in these rows, which this machine cannot reach."""
    names = [f"{block.address(row)}%{block.scopes[row]}" for row in lost[:3] if row in block.scopes]
    names += [str(block.address(row)) for row in lost[:3] if row not in block.scopes]
    more = " ..." if len(lost) > 3 else ""
    return f"no route to {len(lost)} target{'' if len(lost) == 1 else 's'}: {', '.join(names)}{more}"


def broken_link(failure: Exception, session: Session) -> Notice:
    """An interface is gone: the hosts behind it are lost, those behind others are not. Other failures end the scan."""
    if not isinstance(failure, LinkError):
        raise failure
    session.broken = session.broken or failure
    return Notice(session.at(), "error", str(failure))


def host_done(known: Known, row: int, host: Host, session: Session) -> HostDone:
    """The last word about a host; ``ended`` is filled in where no stage did."""
    known.told.add(row)
    tally = session.tally
    tally.hosts_done += 1
    tally.hosts_down += host.status is HostStatus.DOWN
    return HostDone(session.at(), host if host.ended else replace(host, ended=session.network.clock.epoch()))
