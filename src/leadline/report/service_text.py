"""What runs behind ports, in words: cells of the port table and the lines after it (spec sheets 3.2, 3.3, 6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from leadline.model.port import MAYBE_OPEN, Port
from leadline.model.service import MOST_NAMES, Certificate, Exchange, Service
from leadline.report.escape import for_terminal
from leadline.report.words import PROTOCOL_LABEL, counted, two_digits

if TYPE_CHECKING:  # it loads numpy, and ``leadline explain`` needs none
    from leadline.model.plan import OutputPlan

SURE = 6
"""From this confidence on a name is told without a question mark (spec sheet 3.2)."""
LONGEST_VERSION = 160
MOST_FINGERPRINTS = 9
MOST_OF_A_KIND = 5
_LONGEST_NAME = 63
_FINGERPRINT_WIDTH = 74
_MOST_NAMES = 4
_MOST_BYTES = 64


def service_cell(port: Port, versions: bool) -> str:
    """The SERVICE column: ``ssl/http``; ``name?`` when it was asked and the number alone says so; ``unknown``.

    ``versions``: version detection was asked for. What came from the network is not escaped here.
    """
    service = port.service
    if service is None:
        return "unknown"
    name = service.name or "unknown"
    if versions and service.confidence < SURE and name != "unknown" and port.state in MAYBE_OPEN:
        name += "?"
    return f"ssl/{name}" if service.tunnel else name


def version_words(service: Service | None) -> str:
    """``product version (extrainfo)``, whatever is known of it, in full and not escaped."""
    if service is None:
        return ""
    extra = f"({service.extrainfo})" if service.extrainfo else ""
    return " ".join(part for part in (service.product, service.version, extra) if part)


def version_cell(port: Port) -> str:
    """The VERSION column: printable, and cut at 160 characters."""
    words = for_terminal(version_words(port.service))
    return words if len(words) <= LONGEST_VERSION else words[: LONGEST_VERSION - 3] + "..."


def service_info(ports: Iterable[Port]) -> list[str]:
    """The ``Service Info:`` line: what services say of their host, five different ones of a kind at most."""
    services = [port.service for port in ports if port.service is not None and port.service.method == "probed"]
    kinds = (
        ("Host", "s", _distinct(service.hostname for service in services)),
        ("OS", "s", _distinct(service.ostype for service in services)),
        ("Device", "s", _distinct(service.devicetype for service in services)),
        # What names an application belongs to a port, not to the host.
        ("CPE", "", _distinct(name for service in services for name in service.cpe if not name.startswith("cpe:/a"))),
    )
    told = [
        f"{title}{plural if len(values) > 1 else ''}: {', '.join(values)}" for title, plural, values in kinds if values
    ]
    return [f"Service Info: {'; '.join(told)}"] if told else []


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(for_terminal(value) for value in values if value))[:MOST_OF_A_KIND]


def unrecognised_lines(ports: Iterable[Port]) -> list[str]:
    """Answers that no rule knows, as fingerprints, wrapped as tools that read them expect (spec sheet 3.3)."""
    texts = [port.service.fingerprint for port in ports if port.service is not None and port.service.fingerprint]
    if not texts:
        return []
    answers = "its answers as a fingerprint" if len(texts) == 1 else "their answers as fingerprints"
    lines = [f"{counted(len(texts), 'service')} answered with what no rule recognises fully; {answers}:"]
    for text in texts[:MOST_FINGERPRINTS]:
        lines += wrapped(for_terminal(text))
    left = len(texts) - MOST_FINGERPRINTS
    return [*lines, f"({counted(left, 'fingerprint')} more in XML and JSON.)"] if left > 0 else lines


def wrapped(fingerprint: str) -> list[str]:
    """Lines of at most 74 characters; each further one begins with ``SF:``."""
    first, rest = fingerprint[:_FINGERPRINT_WIDTH], fingerprint[_FINGERPRINT_WIDTH:]
    width = _FINGERPRINT_WIDTH - len("SF:")
    return [first, *(f"SF:{rest[start : start + width]}" for start in range(0, len(rest), width))]


def tls_lines(service: Service | None, when: float) -> list[str]:
    """The indented lines about TLS that follow a port's row. ``when``: epoch seconds at which validity is judged."""
    if service is None or service.tls is None:
        return []
    facts = service.tls
    lines = [f"    {tls_words(facts.version, facts.cipher, facts.via)}"]
    if facts.certificate is not None:
        lines.append(f"    Certificate: {certificate_words(facts.certificate, when)}")
    return [for_terminal(line) for line in lines]


def tls_words(version: str, cipher: str, via: str) -> str:
    """``TLS: TLSv1.3 SUITE after smtp STARTTLS``."""
    after = "" if via in ("", "direct") else f" after {via} STARTTLS"
    return f"TLS: {version} {cipher}".rstrip() + after


def certificate_words(certificate: Certificate, when: float) -> str:
    """Whose it is, who issued it and how long it is valid; nothing of it was verified."""
    if certificate.problem:
        return f"cannot be read ({certificate.problem})"
    names = [_short(name) for name in certificate.names] or [_short(certificate.subject) or "nobody"]
    more = len(names) - _MOST_NAMES
    least = "at least " if len(names) >= MOST_NAMES else ""
    words = "for " + ", ".join(names[:_MOST_NAMES]) + (f" and {least}{more} more" if more > 0 else "")
    issuer = "self-signed" if certificate.self_signed else f"issued by {_short(certificate.issuer) or 'nobody'}"
    return f"{words}; {issuer}; {_validity(certificate, when)}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."


def _validity(certificate: Certificate, when: float) -> str:
    start, end = certificate.not_before, certificate.not_after
    if end is not None and when > end:
        return f"expired on {_day(end)}"
    if start is not None and when < start:
        return f"not valid before {_day(start)}"
    return f"valid until {_day(end)}" if end is not None else "without an end of validity"


def _day(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):  # a certificate may say any year
        return "a day that no calendar has"


def dialogue_lines(port: Port, plan: OutputPlan) -> list[str]:
    """What was said to a service and what came back (``-d``), and the first bytes of both (``-dd``)."""
    service = port.service
    if service is None or service.evidence is None:
        return []
    proof = service.evidence
    decided = ", ".join(part for part in (proof.reason, f"rule {proof.rule}" if proof.rule else "") if part)
    name = f"{port.number}/{PROTOCOL_LABEL[port.protocol]}"
    lines = [f"  {name}: {service_cell(port, True)}{f': {decided}' if decided else ''}"]
    for exchange in proof.exchanges:
        lines += _exchange_lines(exchange, plan.debugging > 1)
    return [for_terminal(line) for line in lines]


def _exchange_lines(exchange: Exchange, with_bytes: bool) -> Sequence[str]:
    said = f"{counted(len(exchange.sent), 'byte')} sent" if exchange.sent else "only listened"
    through = " through TLS" if exchange.tunnel else ""
    lines = [
        f"    {exchange.probe}{through} at {exchange.at:.3f}s: {said}, {counted(exchange.total, 'byte')} received "
        f"in {two_digits(exchange.seconds)}s: {exchange.outcome}"
    ]
    if with_bytes:
        lines += [
            f"      {title}: {first_bytes(data)}"
            for title, data in (("sent", exchange.sent), ("received", exchange.received))
            if data
        ]
    return lines


def first_bytes(data: bytes) -> str:
    r"""The beginning of ``data`` on one line: printable ASCII as it is, all else as ``\r``, ``\x1b`` and the like."""
    return escaped(data.decode("latin-1"), _MOST_BYTES)


def escaped(data: str, most: int) -> str:
    """The same for the first ``most`` bytes that are text already, one character each."""
    beginning = data[:most].encode("unicode_escape").decode("ascii")
    return beginning if len(data) <= most else f"{beginning} ..."
