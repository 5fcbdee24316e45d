"""The XML document, valid against Nmap's document type 1.05, so that what reads Nmap's XML reads ours (spec sheet 6.3).

Written as text: it is a stream that must be on disk event by event, and a host may have 65,535 ports.
"""

from __future__ import annotations

from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    ScanEnded,
    ScanInfo,
    ScanStarted,
    TargetSkipped,
    TaskEnded,
    TaskProgress,
    TaskStarted,
)
from leadline.model.host import Host, HostStatus
from leadline.model.plan import OutputPlan
from leadline.model.port import Protocol
from leadline.model.swept import HostsSilent, HostsSwept
from leadline.report.escape import command_line, for_terminal, for_xml, for_xml_comment
from leadline.report.host_xml import address_element, host_element, hostnames_element, status_element
from leadline.report.progress import ProgressGate
from leadline.report.swept import XML, swept_text
from leadline.report.view import port_view, shows_host
from leadline.report.words import PROTOCOL_LABEL, calendar, ending, hosts_summary, silent_words

_XML_VERSION = "1.05"


class XmlDocument:
    """``plan`` may be replaced between events. Whatever happens, the document is closed by ``ScanEnded``."""

    def __init__(self, plan: OutputPlan, colour: bool = False) -> None:
        self.plan = plan
        self._gate = ProgressGate()
        self._started: float | None = None
        self._ports_wanted = False
        self._ended = False

    def request_status(self) -> None:
        """The next progress event is written, whatever the time."""
        self._gate.ask()

    def feed(self, event: Event) -> str:
        """The text to append for this event, with its line ends; empty when there is nothing to write."""
        if self._ended:
            return ""
        if isinstance(event, ScanStarted):
            return self._begin(event) if self._started is None else ""
        if isinstance(event, ScanEnded):
            self._ended = True
            return self._end(event)
        return self._element(event, self._started) if self._started is not None else ""

    def _element(self, event: Event, started: float) -> str:
        match event:
            case HostDone(host=host):
                return self._host(host)
            case HostsSwept():
                return swept_text(event, self._host, XML)
            case HostsSilent() if event.status is not HostStatus.DOWN:
                return f"<!-- Not shown: {for_xml_comment(silent_words(event))} -->\n"
            case HostFound():
                status = status_element(HostStatus.UP, event.reason, event.reason_ttl)
                addresses = address_element(event.address, event.mac, event.vendor)
                return f"<hosthint>{status}\n{addresses}{hostnames_element(event.hostnames)}</hosthint>\n"
            case TargetSkipped():
                return f'<target specification="{for_xml(event.expression)}" status="skipped" reason="invalid"/>\n'
            case TaskStarted() | TaskEnded():
                return self._task(event, started)
            case TaskProgress() if self._gate.admits(event, self.plan):
                return _progress(event, started)
            case _:
                return ""

    def _host(self, host: Host) -> str:
        return host_element(host, port_view(host, self.plan)) if shows_host(host, self.plan, self._ports_wanted) else ""

    def _task(self, event: TaskStarted | TaskEnded, started: float) -> str:
        if isinstance(event, TaskStarted):
            self._gate.task_started(event, self.plan)
        else:
            self._gate.task_ended(event)
        if self.plan.verbosity < 1:
            return ""
        name = "taskbegin" if isinstance(event, TaskStarted) else "taskend"
        extra = f' extrainfo="{for_xml(event.detail)}"' if event.detail else ""
        return f'<{name} task="{for_xml(event.task)}" time="{int(started + event.at)}"{extra}/>\n'

    def _begin(self, event: ScanStarted) -> str:
        self._started = event.started
        self._ports_wanted = bool(event.scans)
        typed = command_line(event.arguments)
        clock = calendar(event.started)
        parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n']
        if self.plan.stylesheet:
            # An unescaped "?>" would end the instruction; for_xml leaves no ">".
            parts.append(f'<?xml-stylesheet href="{for_xml(for_terminal(self.plan.stylesheet))}" type="text/xsl"?>\n')
        version = event.version or "unknown"
        parts.append(f"<!-- Leadline {for_xml_comment(f'{version} scan initiated {clock} as: {typed}')} -->\n")
        # The document type allows only one scanner name; version and arguments say who it really was.
        parts.append(
            f'<nmaprun scanner="nmap" args="{for_xml(typed)}" start="{int(event.started)}" startstr="{clock}" '
            f'version="{for_xml(version)} (Leadline)" xmloutputversion="{_XML_VERSION}">\n'
        )
        parts += [_scan_info(scan) for scan in event.scans if scan.technique not in _UNNAMED]
        parts.append(f'<verbose level="{event.verbosity}"/>\n<debugging level="{event.debugging}"/>\n')
        return "".join(parts)

    def _end(self, event: ScanEnded) -> str:
        head = ""
        if self._started is None:  # an error before the scan began: still a valid document
            head = self._begin(ScanStarted(event.ended - event.at, "", ()))
        clock = calendar(event.ended)
        summary = f"Leadline {ending(event)} at {clock}; {hosts_summary(event.hosts_total, event.hosts_up, event.at)}"
        outcome = 'exit="success"'
        if event.exit != "success":
            message = ending(event) if event.exit == "interrupted" else event.message
            outcome = f'exit="error" errormsg="{for_xml(message)}"'
        return (
            f'{head}<runstats><finished time="{int(event.ended)}" timestr="{clock}" summary="{for_xml(summary)}" '
            f'elapsed="{event.at:.2f}" {outcome}/>'
            f'<hosts up="{event.hosts_up}" down="{event.hosts_down}" total="{event.hosts_total}"/>\n'
            "</runstats>\n</nmaprun>\n"
        )


# Nmap's schema has no word for these, and Nmap itself writes no element about them.
_UNNAMED = frozenset({"idle"})


def _scan_info(scan: ScanInfo) -> str:
    protocol = PROTOCOL_LABEL[Protocol(scan.protocol)]
    flags = f' scanflags="{for_xml(scan.flags)}"' if scan.flags else ""
    return (
        f'<scaninfo type="{for_xml(scan.technique)}"{flags} protocol="{protocol}" numservices="{scan.count}" '
        f'services="{for_xml(scan.services)}"/>\n'
    )


def _progress(event: TaskProgress, started: float) -> str:
    now = started + event.at
    rest = ""
    if event.remaining is not None:
        rest = f' remaining="{int(event.remaining)}" etc="{int(now + event.remaining)}"'
    return f'<taskprogress task="{for_xml(event.task)}" time="{int(now)}" percent="{event.percent:.2f}"{rest}/>\n'
