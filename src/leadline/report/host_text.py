"""One host as text: the block of lines that begins with ``Leadline scan report for`` (spec sheet 6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, PortState, Protocol
from leadline.report.escape import for_terminal
from leadline.report.service_text import (
    dialogue_lines,
    service_cell,
    service_info,
    tls_lines,
    unrecognised_lines,
    version_cell,
)
from leadline.report.view import PortView
from leadline.report.words import (
    PROTOCOL_LABEL,
    REASON_LABEL,
    STATE_LABEL,
    counted,
    cut_words,
    evidence_words,
    reason_words,
    stamp,
    two_digits,
)

_BOLD = "1"
_COLOURS = {
    PortState.OPEN: "32",
    PortState.CLOSED: "31",
    PortState.FILTERED: "33",
    PortState.OPEN_FILTERED: "36",
    PortState.UNFILTERED: "36",
    PortState.CLOSED_FILTERED: "33",
}


def host_lines(host: Host, view: PortView, plan: OutputPlan, colour: bool = False) -> list[str]:
    """The whole block without line ends. A host with ports ends with an empty line."""
    reasons = _wants_reasons(plan)
    if host.status is not HostStatus.UP:
        return _lines_of_absent(host, plan, reasons)
    lines = [_paint(f"Leadline scan report for {display_name(host)}", _BOLD, colour), _up_line(host, reasons)]
    lines += _address_lines(host)
    if plan.verbosity > 1 and host.started:
        seconds = max(0, round(host.ended - host.started))
        lines.append(f"Scanned at {stamp(host.started, seconds=True)} for {seconds}s")
    cut = cut_words(host)
    if cut:
        lines.append(f"The scan of this host is incomplete: {for_terminal(cut)}.")
    lines += [f"Note: {for_terminal(remark)}." for remark in host.remarks]
    if plan.debugging and host.evidence is not None:
        lines.append(f"Host evidence: {for_terminal(evidence_words(host.evidence))}")
    if view.total:
        lines += _port_lines(host, view, plan, colour)
        if plan.debugging:
            lines += _evidence_lines(view.shown, plan)
        lines += unrecognised_lines(view.shown)
    if host.mac:
        lines.append(f"MAC Address: {for_terminal(host.mac)} ({for_terminal(host.vendor) or 'Unknown'})")
    if view.total:
        lines += [*service_info(view.shown), ""]
    return lines


def display_name(host: Host) -> str:
    """``name (address)``, or the address alone; the typed name goes before the one from reverse lookup."""
    name = typed_name(host) or host.name
    return f"{for_terminal(name)} ({host.address})" if name else str(host.address)


def typed_name(host: Host) -> str:
    """The name from the command line, or the empty string."""
    return host.typed_name


def reverse_name(host: Host) -> str:
    """The name from reverse lookup, or the empty string."""
    return next((hostname.name for hostname in host.hostnames if hostname.kind == "PTR"), "")


def _wants_reasons(plan: OutputPlan) -> bool:
    return plan.reason or plan.verbosity > 1 or plan.debugging > 0


def _lines_of_absent(host: Host, plan: OutputPlan, reasons: bool) -> list[str]:
    line = f"Leadline scan report for {display_name(host)}"
    cut = cut_words(host)
    if host.status is HostStatus.DOWN:
        why = f", received {reason_words(host.reason, host.reason_ttl, host.reason_address)}" if reasons else ""
        line += f" [host down{why}]"
    elif cut:
        line += f" [not known whether the host is up: {for_terminal(cut)}]"
    lines = [line, *_address_lines(host)]
    if plan.debugging and host.evidence is not None:
        lines.append(f"Host evidence: {for_terminal(evidence_words(host.evidence))}")
    return lines


def _up_line(host: Host, reasons: bool) -> str:
    line = "Host is up"
    if reasons:
        line += f", received {reason_words(host.reason, host.reason_ttl, host.reason_address)}"
    return f"{line} ({two_digits(host.latency)}s latency)." if host.latency is not None else f"{line}."


def _address_lines(host: Host) -> list[str]:
    lines = []
    typed, reverse = typed_name(host), reverse_name(host)
    if host.other_addresses:
        name = for_terminal(typed or host.name or str(host.address))
        others = " ".join(str(address) for address in host.other_addresses)
        lines.append(f"Other addresses for {name} (not scanned): {others}")
    if typed and reverse and typed.lower() != reverse.lower():
        lines.append(f"rDNS record for {host.address}: {for_terminal(reverse)}")
    return lines


def _port_lines(host: Host, view: PortView, plan: OutputPlan, colour: bool) -> list[str]:
    lines = []
    if not view.shown:
        ports = counted(view.total, f"scanned {'protocol' if _of_protocols(view) else 'port'}")
        verb = "is" if view.total == 1 else "are"
        lines.append(f"All {ports} on {display_name(host)} {verb} in ignored states.")
    if view.ignored:
        groups = ", ".join(
            f"{counted(group.count, f'{STATE_LABEL[group.state]} {_noun(group.protocol)}')} "
            f"({REASON_LABEL[group.reason]})"
            for group in view.ignored
        )
        lines.append(f"Not shown: {groups}")
    else:
        lines.append("")
    if view.shown:
        lines += port_table(view.shown, _wants_reasons(plan), colour, versions=plan.versions)
        if plan.verbosity:
            lines = _with_tls(lines, view.shown, host.ended)
    return lines


def _of_protocols(view: PortView) -> bool:
    return any(group.protocol is Protocol.IP for group in view.ignored)


def _noun(protocol: Protocol) -> str:
    """What is scanned: ports of a transport, or IP protocols themselves."""
    return f"{PROTOCOL_LABEL[protocol]} port" if protocol else "IP protocol"


def _with_tls(lines: list[str], ports: tuple[Port, ...], when: float) -> list[str]:
    """The table's rows are the last lines; each is followed by what is known of its TLS."""
    first = len(lines) - len(ports)
    followed = [[row, *tls_lines(port.service, when)] for row, port in zip(lines[first:], ports, strict=True)]
    return [*lines[:first], *chain.from_iterable(followed)]


def port_table(ports: tuple[Port, ...], reasons: bool, colour: bool = False, *, versions: bool = False) -> list[str]:
    """``PORT STATE SERVICE [REASON] [VERSION]`` in columns as wide as their widest cell; no blanks at line ends."""
    head = "PORT" if ports[0].protocol else "PROTOCOL"
    numbers = [_number(port) for port in ports]
    services = [for_terminal(service_cell(port, versions)) for port in ports]
    first = _width(head, numbers)
    second = _width("STATE", (STATE_LABEL[port.state] for port in ports))
    title, ends = "SERVICE", services
    if reasons:
        words = [reason_words(port.reason, port.reason_ttl, port.reason_address) for port in ports]
        title, ends = _beside(title, ends, "REASON", words)
    if versions:
        title, ends = _beside(title, ends, "VERSION", [version_cell(port) for port in ports])
    lines = [f"{head:<{first}} {'STATE':<{second}} {title}"]
    cells = {port.state: f"{STATE_LABEL[port.state]:<{second}}" for port in ports}
    if colour:
        cells = {state: _paint(cell, _COLOURS.get(state, ""), colour) for state, cell in cells.items()}
    lines += [
        f"{number:<{first}} {cells[port.state]} {end}" for number, port, end in zip(numbers, ports, ends, strict=True)
    ]
    return lines


def _beside(title: str, cells: list[str], further: str, others: list[str]) -> tuple[str, list[str]]:
    """One column more: the head and the cells of both."""
    width = _width(title, cells)
    return f"{title:<{width}} {further}", [
        f"{cell:<{width}} {other}".rstrip() for cell, other in zip(cells, others, strict=True)
    ]


def _evidence_lines(ports: tuple[Port, ...], plan: OutputPlan) -> list[str]:
    lines = []
    for port in ports:
        if port.evidence is not None:
            lines.append(f"  {_number(port)}: {for_terminal(evidence_words(port.evidence))}")
        lines += dialogue_lines(port, plan)
    return ["Evidence:", *lines] if lines else []


def _number(port: Port) -> str:
    # IP protocols (value 0) are numbers of their own, not ports of a transport.
    return f"{port.number}/{PROTOCOL_LABEL[port.protocol]}" if port.protocol else str(port.number)


def _width(head: str, cells: Iterable[str]) -> int:
    return max(map(len, chain((head,), cells)))


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text
