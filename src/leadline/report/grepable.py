"""Grepable lines: ``Host:`` and tab-separated fields, as scripts that read Nmap's ``-oG`` expect (spec sheet 6.2)."""

from __future__ import annotations

from leadline.model.event import Event, HostDone, ScanEnded, ScanInfo, ScanStarted
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Port, Protocol
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.escape import command_line, for_grepable, for_terminal
from leadline.report.host_text import reverse_name
from leadline.report.service_text import service_cell, version_words
from leadline.report.swept import PLAIN, swept_text
from leadline.report.view import PortView, port_view, shows_host
from leadline.report.words import (
    PROTOCOL_LABEL,
    STATE_LABEL,
    calendar,
    cut_words,
    ending,
    ending_reason,
    hosts_summary,
    silent_words,
)

_STATUS = {HostStatus.UP: "Up", HostStatus.DOWN: "Down", HostStatus.UNKNOWN: "Unknown"}


class Grepable:
    """``plan`` may be replaced between events."""

    def __init__(self, plan: OutputPlan, colour: bool = False) -> None:
        self.plan = plan
        self._ports_wanted = False

    def feed(self, event: Event) -> str:
        """The text to append for this event, with its line ends; empty when there is nothing to write."""
        match event:
            case HostDone(host=host):
                return self._host(host)
            case HostsSwept():
                return swept_text(event, self._host, PLAIN)
            case HostsSilent() if event.status is not HostStatus.DOWN:
                return f"# Not shown: {silent_words(event)}\n"
            case ScanStarted():
                return self._begin(event)
            case ScanEnded():
                summary = hosts_summary(event.hosts_total, event.hosts_up, event.at)
                return f"# Leadline {ending(event)} at {calendar(event.ended)} -- {summary}{ending_reason(event)}\n"
            case _:
                return ""

    def _begin(self, event: ScanStarted) -> str:
        self._ports_wanted = bool(event.scans)
        typed = command_line(event.arguments)
        text = f"# Leadline {event.version} scan initiated {calendar(event.started)} as: {typed}\n"
        return text + _ports_scanned(event.scans) if self.plan.verbosity > 0 else text

    def _host(self, host: Host) -> str:
        if not shows_host(host, self.plan, self._ports_wanted):
            return ""
        head = f"Host: {host.address} ({for_terminal(reverse_name(host))})\t"
        text = f"{head}Status: {'Timeout' if host.timed_out else _STATUS[host.status]}\n"
        view = port_view(host, self.plan)
        if view.total:
            text += f"{head}{_ports_field(view, self.plan.versions)}\n"
        cut = cut_words(host)
        # Lines of their own: the two lines that scripts look for stay as they know them.
        if cut:
            text += f"{head}Incomplete: {for_grepable(cut)}\n"
        return text + "".join(f"{head}Remark: {for_grepable(remark)}\n" for remark in host.remarks)


def _ports_field(view: PortView, versions: bool) -> str:
    ignored = view.ignored_states()
    protocols = {port.protocol for port in view.shown} | {group.protocol for group in view.ignored}
    if Protocol.IP in protocols:
        field = "Protocols: " + ", ".join(_protocol_entry(port) for port in view.shown)
    else:
        field = "Ports: " + ", ".join(_port_entry(port, versions) for port in view.shown)
    if len(ignored) == 1:
        ((state, count),) = ignored.items()
        field += f"\tIgnored State: {STATE_LABEL[state]} ({count})"
    return field


def _port_entry(port: Port, versions: bool) -> str:
    name, version = for_grepable(service_cell(port, versions)), for_grepable(version_words(port.service))
    return f"{port.number}/{STATE_LABEL[port.state]}/{PROTOCOL_LABEL[port.protocol]}//{name}//{version}/"


def _protocol_entry(port: Port) -> str:
    """A protocol without a name has an empty field here, as Nmap has it (a port is ``unknown``)."""
    name = for_grepable(port.service.name) if port.service is not None else ""
    return f"{port.number}/{STATE_LABEL[port.state]}/{name}/"


def _ports_scanned(scans: tuple[ScanInfo, ...]) -> str:
    fields = []
    for title, protocol in (
        ("TCP", Protocol.TCP),
        ("UDP", Protocol.UDP),
        ("SCTP", Protocol.SCTP),
        ("PROTOCOLS", Protocol.IP),
    ):
        scan = next((scan for scan in scans if scan.protocol is protocol), None)
        fields.append(f"{title}({scan.count};{scan.services})" if scan else f"{title}(0;)")
    return f"# Ports scanned: {' '.join(fields)}\n"
