"""One host as XML: the ``host`` element and the parts it shares with ``hosthint`` (spec sheet 6.3)."""

from __future__ import annotations

from collections.abc import Iterable

from leadline.model.host import Host, Hostname, HostStatus
from leadline.model.ip import Address
from leadline.model.port import Port, Reason
from leadline.model.service import Service
from leadline.report.escape import for_xml
from leadline.report.view import IgnoredPorts, PortView
from leadline.report.words import PROTOCOL_LABEL, REASON_LABEL, STATE_LABEL, cut_words, range_list


def host_element(host: Host, view: PortView) -> str:
    """The element with its line end. Order and names of everything inside are the document type's."""
    times = f' starttime="{int(host.started)}" endtime="{int(host.ended)}"' if host.started else ""
    if host.timed_out:
        times += ' timedout="true"'
    cut = cut_words(host)
    told = [*([f"{cut}; the results are partial"] if cut else []), *host.remarks]
    if told:
        times += f' comment="{for_xml("; ".join(told))}"'
    return (
        f"<host{times}>{status_element(host.status, host.reason, host.reason_ttl)}\n"
        f"{address_element(host.address, host.mac, host.vendor)}{hostnames_element(host.hostnames)}"
        f"{_ports_element(view)}{_times_element(host)}</host>\n"
    )


def status_element(status: HostStatus, reason: Reason, ttl: int) -> str:
    """``<status>`` without a line end."""
    return f'<status state="{status.label}" reason="{REASON_LABEL[reason]}" reason_ttl="{ttl}"/>'


def address_element(address: Address, mac: str, vendor: str) -> str:
    """``<address>`` of the network layer and, when known, of the link layer, one a line."""
    element = f'<address addr="{for_xml(str(address))}" addrtype="ipv{address.version}"/>\n'
    if mac:
        owner = f' vendor="{for_xml(vendor)}"' if vendor else ""
        element += f'<address addr="{for_xml(mac)}" addrtype="mac"{owner}/>\n'
    return element


def hostnames_element(hostnames: Iterable[Hostname]) -> str:
    """``<hostnames>`` with its line end, also when there are none (readers expect it)."""
    # The document type knows two kinds of name only.
    inner = "".join(
        f'<hostname name="{for_xml(hostname.name)}" type="{"PTR" if hostname.kind == "PTR" else "user"}"/>\n'
        for hostname in hostnames
    )
    return f"<hostnames>\n{inner}</hostnames>\n"


def _ports_element(view: PortView) -> str:
    if not view.total:
        return ""
    parts = ["<ports>"]
    for state, count in view.ignored_states().items():
        parts.append(f'<extraports state="{STATE_LABEL[state]}" count="{count}">\n')
        parts += [_extra_reason(group) for group in view.ignored if group.state is state]
        parts.append("</extraports>\n")
    # Thousands of ports of one host share a handful of names from the table: what can be is made once.
    services: dict[Service | None, str] = {}
    parts += [_port_element(port, services) for port in view.shown]
    parts.append("</ports>\n")
    return "".join(parts)


def _extra_reason(group: IgnoredPorts) -> str:
    return (
        f'<extrareasons reason="{REASON_LABEL[group.reason]}" count="{group.count}" '
        f'proto="{PROTOCOL_LABEL[group.protocol]}" ports="{range_list(group.ranges)}"/>\n'
    )


def _port_element(port: Port, services: dict[Service | None, str]) -> str:
    if port.service is None or port.service.evidence is None:
        service = services.get(port.service)
        if service is None:
            service = services[port.service] = service_element(port.service)
    else:
        service = service_element(port.service)
    source = f' reason_ip="{for_xml(str(port.reason_address))}"' if port.reason_address is not None else ""
    return (
        f'<port protocol="{PROTOCOL_LABEL[port.protocol]}" portid="{port.number}">'
        f'<state state="{STATE_LABEL[port.state]}" reason="{REASON_LABEL[port.reason]}" '
        f'reason_ttl="{port.reason_ttl}"{source}/>{service}</port>\n'
    )


def service_element(service: Service | None) -> str:
    """``<service>`` with its ``<cpe>`` children, on one line without an end. The fingerprint is in one piece."""
    if service is None:
        return '<service name="unknown" method="table" conf="3"/>'
    method = "probed" if service.method == "probed" else "table"
    confidence = min(10, max(0, service.confidence))
    told = "".join(
        f' {name}="{for_xml(value)}"'
        for name, value in (
            ("product", service.product),
            ("version", service.version),
            ("extrainfo", service.extrainfo),
            ("hostname", service.hostname),
            ("ostype", service.ostype),
            ("devicetype", service.devicetype),
            ("servicefp", service.fingerprint),
        )
        if value
    )
    tunnel = ' tunnel="ssl"' if service.tunnel else ""  # the document type knows no other
    element = f'<service name="{for_xml(service.name)}"{told}{tunnel} method="{method}" conf="{confidence}"'
    # An empty name would be none to those who read it.
    names = "".join(f"<cpe>{for_xml(name)}</cpe>" for name in service.cpe if name)
    return f"{element}>{names}</service>" if names else f"{element}/>"


def _times_element(host: Host) -> str:
    if host.latency is None:
        return ""
    srtt, variance, timeout = (int((seconds or 0.0) * 1e6) for seconds in (host.latency, host.rttvar, host.timeout))
    return f'<times srtt="{srtt}" rttvar="{variance}" to="{timeout}"/>\n'
