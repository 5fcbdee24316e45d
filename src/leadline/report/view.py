"""Which hosts and ports a report shows one by one, and which ports it only counts.

The rule of ignored states (spec sheet 6.1): a state other than open that more ports share than a threshold is counted,
not listed; the threshold grows with verbosity and debugging. All formats but JSON lines share this view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from leadline.data.services import service_name
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import MAYBE_OPEN, Port, PortState, PortSummary, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.model.service import Service

PORTS_PER_STATE = 25
OPEN_ENOUGH = MAYBE_OPEN | {PortState.UNFILTERED}
"""What ``--open`` leaves in the report."""


@dataclass(frozen=True, slots=True)
class IgnoredPorts:
    """Ports that are only counted. ``ranges``: ascending, inclusive pairs of port numbers; ``count`` their total."""

    protocol: Protocol
    state: PortState
    reason: Reason
    count: int
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PortView:
    """One host's ports as a report shows them.

    ``shown``: ascending by protocol, then number. ``ignored``: the most frequent state first, in a state the most
    frequent reason first. ``total``: all ports of the host, shown and ignored.
    """

    shown: tuple[Port, ...]
    ignored: tuple[IgnoredPorts, ...]
    total: int

    def ignored_states(self) -> dict[PortState, int]:
        """Ports in each ignored state, most frequent first."""
        counts: dict[PortState, int] = {}
        for group in self.ignored:
            counts[group.state] = counts.get(group.state, 0) + group.count
        return counts


def shows_host(host: Host, plan: OutputPlan, ports_wanted: bool) -> bool:
    """Whether text, XML and grepable reports mention this host at all.

    Hosts that are down, or were not decided when the scan was cut, only with ``-v``; the hosts of a list scan
    (neither up nor down, complete) always; with ``--open`` no host without an open port, when ports were scanned
    (``ports_wanted``).
    """
    if host.status is HostStatus.UP:
        return not (plan.open_only and ports_wanted) or has_open_port(host)
    if host.status is HostStatus.UNKNOWN and not host.interrupted and not host.timed_out:
        return True
    return plan.verbosity > 0 and not (plan.open_only and ports_wanted)


def has_open_port(host: Host) -> bool:
    """True with at least one port that ``--open`` would show."""
    return any(port.state in OPEN_ENOUGH for port in host.ports) or any(
        summary.state in OPEN_ENOUGH and summary.count for summary in host.summaries
    )


def port_view(host: Host, plan: OutputPlan) -> PortView:
    """Divide the host's ports into shown and ignored ones.

    Ports that the host carries as summaries but that are to be shown (few of them, or much verbosity) are made from
    the summary: without evidence of their own, named by the table.
    """
    if not host.ports and not host.summaries:
        return _NOTHING  # a ping scan may have a million such hosts
    counts = Counter(port.state for port in host.ports)
    for summary in host.summaries:
        counts[summary.state] += summary.count
    protocols = {port.protocol for port in host.ports} | {summary.protocol for summary in host.summaries}
    limit = threshold(plan, Protocol.IP in protocols)
    hidden = frozenset(state for state, count in counts.items() if _is_ignored(state, count, limit, plan))
    shown = [port for port in host.ports if port.state not in hidden] if hidden else list(host.ports)
    counted = hidden | _open_counted(host, limit, plan)
    expanded = [port for summary in host.summaries if summary.state not in counted for port in _expand(summary)]
    if expanded:
        shown = sorted(shown + expanded, key=_order)
    return PortView(tuple(shown), _ignored(host, hidden, counted, counts), counts.total())


_NOTHING = PortView((), (), 0)


def threshold(plan: OutputPlan, ip_protocols: bool = False) -> int:
    """The number of ports in one state up to which they are listed."""
    weight = 3 if ip_protocols else 20
    return PORTS_PER_STATE * (plan.verbosity + 1 + weight * plan.debugging)


def _is_ignored(state: PortState, count: int, limit: int, plan: OutputPlan) -> bool:
    if plan.open_only and state not in OPEN_ENOUGH:
        return True
    if state is PortState.OPEN or plan.debugging > 2:
        return False
    if state is PortState.OPEN_FILTERED and plan.verbosity > 2:
        return False
    return count > limit


def _open_counted(host: Host, limit: int, plan: OutputPlan) -> frozenset[PortState]:
    """Open ports of a host that answers on every port come as a summary: they prove nothing, and are too many."""
    count = sum(summary.count for summary in host.summaries if summary.state is PortState.OPEN)
    return frozenset({PortState.OPEN}) if count > limit and plan.debugging <= 2 else frozenset()


def _expand(summary: PortSummary) -> list[Port]:
    ports = []
    for first, last in summary.ranges:
        for number in range(first, last + 1):
            name = service_name(number, summary.protocol)
            service = Service(name) if name else None
            ports.append(Port(number, summary.protocol, summary.state, summary.reason, service=service))
    return ports


def _order(port: Port) -> tuple[int, int]:
    return port.protocol, port.number


def _ignored(
    host: Host, hidden: frozenset[PortState], counted: frozenset[PortState], totals: Counter[PortState]
) -> tuple[IgnoredPorts, ...]:
    """The hidden ports, and of summaries the ``counted`` ones, in groups of one protocol, state and reason."""
    if not counted:
        return ()
    groups: dict[tuple[Protocol, PortState, Reason], list[tuple[int, int]]] = {}
    for port in host.ports:
        if port.state in hidden:
            groups.setdefault((port.protocol, port.state, port.reason), []).append((port.number, port.number))
    for summary in host.summaries:
        if summary.state in counted:
            groups.setdefault((summary.protocol, summary.state, summary.reason), []).extend(summary.ranges)
    ignored = []
    for (protocol, state, reason), pairs in groups.items():
        ranges = merge(pairs)
        ignored.append(IgnoredPorts(protocol, state, reason, sum(last - first + 1 for first, last in ranges), ranges))
    ignored.sort(key=lambda group: (-totals[group.state], group.state, -group.count, group.protocol, group.reason))
    return tuple(ignored)


def merge(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Inclusive pairs in any order, as ascending pairs that neither touch nor overlap."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)
