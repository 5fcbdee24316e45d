"""``leadline explain``: why a host or a port is what it is, told as a story with times from what a file says.

In: a ``Recording`` of one host. Out: lines for the terminal; whatever came from the file is escaped and bounded.
Times on the left are seconds since the scan began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from leadline.report.fields import Fields, each, inner, number, pairs, raw, shown, text, whole
from leadline.report.meanings import port_meaning, reset_doubt
from leadline.report.recording import Pace, Recording
from leadline.report.service_story import service_story, service_words, when
from leadline.report.words import counted, range_list, two_digits

FEW_BYTES = 64
_ASKED = ("tcp", "udp")
"""Ports of these have services that can be asked (-sV)."""
MOST_LISTED = 100
MOST_REMARKS = 20
_INDENT = " " * 13
_MOST_RANGES = 12
_PROBES = {
    "syn": "SYN",
    "ack": "ACK",
    "fin": "FIN",
    "null": "segment without flags",
    "xmas": "FIN/PSH/URG",
    "maimon": "FIN/ACK",
    "window": "ACK",
    "udp": "UDP datagram",
    "sctp-init": "SCTP INIT",
    "sctp-cookie-echo": "SCTP COOKIE-ECHO",
    "ip-protocol": "packet of the protocol",
    "connect": "connection attempt",
    "arp": "ARP request",
    "idle": "SYN in the zombie's name",
    "bounce": "order to an FTP server",
}


def host_story(recording: Recording, file: str) -> list[str]:
    """All about the host, and a line for each port that is listed. ``file``: as typed, to say how to ask further."""
    host = recording.host
    ports = list(each(host, "ports")) or list(recording.early.ports)
    lines = [*_title(recording), "", *_host(recording), "", "Its ports"]
    lines += [_port_line(port) for port in ports[:MOST_LISTED]]
    if len(ports) > MOST_LISTED:
        lines.append(f"  ({counted(len(ports) - MOST_LISTED, 'port')} more)")
    lines += [_summary_line(summary) for summary in each(host, "summaries")]
    if not ports and not raw(host, "address"):
        lines.append("  none was told before the file ends")
    elif len(lines) and lines[-1] == "Its ports":
        lines.append("  nothing is said of any")
    if ports:
        where = f"[{recording.address}]" if ":" in recording.address else recording.address
        ask = f"leadline explain {shown(file)} {where}:{whole(ports[0], 'number')}"
        lines.append(f"  More about one of them: {ask}")
    return [*lines, "", *_pace(recording), "", *_scan(recording)]


def port_story(recording: Recording, number_asked: int, protocol: str, most: int = FEW_BYTES) -> list[str] | None:
    """The port's story, one for each protocol when ``protocol`` is empty; ``None`` when nothing is said of it."""
    host = recording.host
    lines: list[str] = []
    for port in [*each(host, "ports")] or recording.early.ports:
        if whole(port, "number") == number_asked and protocol in ("", raw(port, "protocol")):
            lines += ["", *_port(recording, port, most)]
    for summary in each(host, "summaries"):
        if protocol in ("", raw(summary, "protocol")) and _holds(summary, number_asked):
            lines += ["", *_counted_port(recording, summary, number_asked)]
    if not lines:
        return None
    return [*_title(recording), "", *_host(recording), *lines, "", *_pace(recording), "", *_scan(recording)]


def what_is_there(recording: Recording, asked: str) -> list[str]:
    """For a host or port that the file does not know: what it has instead."""
    if not recording.known:
        lines = [f"Nothing is said of the host {shown(asked)}."]
        lines.append(f"The file has {counted(recording.hosts, 'host')}, {recording.up} of them up.")
        if recording.silent:
            lines += _silent_lines(recording)
        if recording.named:
            lines.append(f"Hosts that are up: {', '.join(shown(name) for name in recording.named)}")
        return lines
    lines = [f"Nothing is said of port {shown(asked)} of {shown(recording.address)}."]
    if cut := _cut(recording):
        lines.append(f"It may be missing because {cut}.")
    ports = list(each(recording.host, "ports"))[:20] or recording.early.ports[:20]
    if ports:
        lines.append("Ports that are told one by one: " + ", ".join(_label(port) for port in ports))
    return lines + [_summary_line(summary).strip() for summary in each(recording.host, "summaries")]


def _silent_lines(recording: Recording) -> Iterator[str]:
    """What is known of a host of a sweep that is not listed."""
    told = recording.silent_told
    yield f"{recording.silent:,} more were swept and answered nothing, so they are only counted."
    if text(told, "interrupted"):
        yield "If it is one of them, nothing is known of its ports: the sweep was interrupted."
    else:
        yield f"If it is one of them, each of its ports is {text(told, 'state')} (no response)."
    yield "Scanned again with -v, it is told by itself, with the number of tries."


def _title(recording: Recording) -> Iterator[str]:
    names = [text(name, "name") for name in each(recording.host or recording.early.found, "hostnames")]
    yield shown(recording.address) + (f" ({', '.join(names[:4])})" if names else "")
    if recording.others:
        yield f"The name also stands for {', '.join(shown(other) for other in recording.others)}: ask by address."


def _host(recording: Recording) -> Iterator[str]:
    host, found = recording.host, recording.early.found
    yield "The host"
    status = text(host, "status") or ("up" if found else "unknown")
    if not host:
        yield f"{when(number(found, 'at'))}{status}: {text(found, 'reason') or 'told by its ports'}"
        return
    yield from _evidence(inner(host, "evidence"), status, text(host, "reason"))
    latency, timeout = number(host, "latency"), number(host, "timeout")
    if latency is not None:
        waited = f"; in the end an answer was waited for {two_digits(timeout)}s" if timeout is not None else ""
        spread = two_digits(number(host, "rttvar") or 0.0)
        yield f"{_INDENT}round trip {two_digits(latency)}s, give or take {spread}s{waited}"
    remarks = host.get("remarks")
    for remark in remarks[:MOST_REMARKS] if isinstance(remarks, list) else ():
        yield f"{_INDENT}note: {shown(str(remark))}"


def _evidence(proof: Fields, verdict: str, reason: str) -> Iterator[str]:
    """What was sent, which reply decided, and by which rule."""
    if not proof:
        yield f"{when(None)}{verdict}: {reason or 'no proof is in the file'}"
        return
    probe, tries, reply = text(proof, "probe"), whole(proof, "tries"), text(proof, "reply")
    plain, space, more = probe.partition(" ")
    name = _PROBES.get(plain, plain) + space + more
    sent = f"{name} sent {counted(tries, 'time')}" if tries else f"{name or 'nothing'}, nothing sent"
    answered, rtt, ttl = whole(proof, "answered_try"), number(proof, "rtt"), whole(proof, "ttl")
    if reply:
        sent += f"; try {answered} was answered by {reply}" if answered else f"; answered by {reply}"
        responder = text(proof, "responder")
        sent += f" from {responder}" if responder else ""
        sent += f" with TTL {ttl}" if ttl else ""
        sent += f" after {two_digits(rtt)}s" if rtt is not None else ""
    elif tries:
        sent += "; no answer"
    yield f"{when(number(proof, 'at'))}{verdict}: {sent}"
    if raw(proof, "rule"):
        yield f"{_INDENT}rule: {text(proof, 'rule')}"


def _port(recording: Recording, port: Fields, most: int) -> Iterator[str]:
    state, reason, proof = raw(port, "state"), raw(port, "reason"), inner(port, "evidence")
    name = text(inner(port, "service"), "name")
    known = f" ({name})" if name and raw(port, "protocol") == "ip" else ""
    yield f"{_title_of(whole(port, 'number'), port)}{known}: {shown(state)} ({shown(reason)})"
    yield from _evidence(proof, shown(state), shown(reason))
    others = _answering(recording, port) if recording.host else None
    yield _INDENT + port_meaning(
        state, reason, raw(proof, "probe"), whole(proof, "tries"), others, left=_left(recording)
    )
    if state != "open" and raw(port, "protocol") == "tcp" and reason == "reset":
        doubt = reset_doubt(whole(proof, "ttl"), _usual_ttl(recording))
        if doubt:
            yield _INDENT + doubt
    if not state.startswith("open") or raw(port, "protocol") not in _ASKED:
        return  # the usual name of a number says nothing of a port that nobody could ask
    story = list(service_story(inner(port, "service"), most, number(recording.started, "started") or 0.0))
    if story:
        yield ""
        yield "The service"
        yield from story


def _usual_ttl(recording: Recording) -> int:
    """The TTL with which most open TCP ports of the host answered, 0 where that cannot be told."""
    told = Counter(
        whole(inner(port, "evidence"), "ttl")
        for port in each(recording.host, "ports")
        if raw(port, "reason") == "syn-ack"
    )
    return told.most_common(1)[0][0] if told else 0


def _answering(recording: Recording, port: Fields) -> int:
    """How many other ports of the host answered in any way."""
    silent = "no-response"
    others = sum(raw(other, "reason") != silent for other in each(recording.host, "ports") if other is not port)
    summaries = each(recording.host, "summaries")
    return others + sum(whole(summary, "count") for summary in summaries if raw(summary, "reason") != silent)


def _left(recording: Recording) -> bool:
    return number(recording.host, "silent_since") is not None


def _holds(summary: Fields, asked: int) -> bool:
    return any(first <= asked <= last for first, last in pairs(summary, "ranges"))


def _counted_port(recording: Recording, summary: Fields, asked: int) -> Iterator[str]:
    state, reason = raw(summary, "state"), raw(summary, "reason")
    is_protocol = raw(summary, "protocol") == "ip"
    noun, probe = ("protocol", "ip-protocol") if is_protocol else ("port", "")
    yield f"{_title_of(asked, summary)}: {shown(state)} ({shown(reason)})"
    yield f"{_INDENT}one of {whole(summary, 'count')} {shown(state)} {noun}s: {shown(reason)}"
    many = f"{noun.capitalize()}s that many share"
    yield f"{_INDENT}{many} are kept as ranges: tries and times of each are not in the file."
    yield _INDENT + port_meaning(state, reason, probe, 0, _answering(recording, summary), left=_left(recording))


def _title_of(number: int, said: Fields) -> str:
    """``said``: a port, or a summary."""
    return f"IP protocol {number}" if raw(said, "protocol") == "ip" else f"Port {number}/{text(said, 'protocol')}"


def _label(port: Fields) -> str:
    return f"{whole(port, 'number')}/{text(port, 'protocol')}"


def _port_line(port: Fields) -> str:
    proof, words = inner(port, "evidence"), service_words(inner(port, "service"))
    at = number(proof, "at")
    time = f" at {at:.3f}s" if at is not None else ""
    service = f"  {words}" if words else ""
    return f"  {_label(port):<10} {text(port, 'state'):<13} {text(port, 'reason')}{time}{service}"


def _summary_line(summary: Fields) -> str:
    ranges = pairs(summary, "ranges")
    more = ",..." if len(ranges) > _MOST_RANGES else ""
    noun = "IP protocol" if raw(summary, "protocol") == "ip" else f"{text(summary, 'protocol')} port"
    count = counted(whole(summary, "count"), f"{text(summary, 'state')} {noun}")
    return f"  {count}: {text(summary, 'reason')} ({range_list(ranges[:_MOST_RANGES])}{more})"


def _pace(recording: Recording) -> Iterator[str]:
    """Decisions about the pace, of the host and of its group, those of one kind and cause as one."""
    yield "The pace"
    told = [("this host", recording.early), ("the group", recording.group)]
    rows = [(pace, whose) for whose, early in told for pace in early.paces.values()]
    for pace, whose in sorted(rows, key=lambda row: row[0].first_at):
        yield _decisions(pace, whose)
    left = sum(early.more for _, early in told)
    if left:
        yield f"{_INDENT}({counted(left, 'decision')} of further kinds in the file)"
    if not rows:
        hint = "" if whole(recording.started, "debugging") else " (the scan was made without -d)"
        yield f"{_INDENT}no decision about the pace of this host or its group is in the file{hint}"


def _decisions(pace: Pace, whose: str) -> str:
    values = f"{_value(pace.old)} -> {_value(pace.new)}"
    if pace.what == "pace":
        values = f"-> {_value(pace.new)} probes a second"
    until = f" in {pace.count} steps until {pace.last_at:.3f}s" if pace.count > 1 else ""
    return f"{when(pace.first_at)}{whose}: {shown(pace.what)} {values}{until}: {shown(pace.cause)}"


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _scan(recording: Recording) -> Iterator[str]:
    yield "The scan"
    for task in recording.tasks:
        if raw(task, "event") == "task_started":
            detail = text(task, "detail")
            yield f"{when(number(task, 'at'))}{text(task, 'task')} began{f': {detail}' if detail else ''}"
    for notice in recording.notices:
        yield f"{when(number(notice, 'at'))}{text(notice, 'level')}: {text(notice, 'text')}"
    if cut := _cut(recording):
        yield f"{_INDENT}{cut}"
    if recording.ended:
        yield f"{when(number(recording.ended, 'at'))}the scan ended: {text(recording.ended, 'exit')}"


def _cut(recording: Recording) -> str:
    """What cut the scan of this host, in words; empty for a complete one."""
    host, ended = recording.host, recording.ended
    if host.get("timed_out") is True:
        return f"the host's time ran out (--host-timeout) during {text(host, 'interrupted') or 'its scan'}"
    if host.get("gave_up") is True:
        return (
            f"so many ports are open that the host was given up (--max-open-ports) during {text(host, 'interrupted')}"
        )
    why = text(ended, "message") or "the scan was cut"
    if raw(host, "interrupted"):
        return f"this host was cut during {text(host, 'interrupted')}: {why}"
    if not host:
        return "the file ends before this host was done" if not ended else f"this host was never done: {why}"
    return ""
