"""The dialogue with a service as a story: each exchange with its time and bytes, what decided, TLS and certificate."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.model.service import Certificate
from leadline.report.fields import Fields, each, inner, number, raw, shown, text, texts, whole
from leadline.report.service_text import certificate_words, escaped, tls_words
from leadline.report.words import counted, two_digits

MOST_EXCHANGES = 60
_INDENT = " " * 13


def when(seconds: float | None) -> str:
    """The time column of a story, seconds since the scan began."""
    return f"{seconds:10.3f}s  " if seconds is not None else f"{'-':>11}  "


def service_words(service: Fields) -> str:
    """``ssl/http, nginx 1.22.1 (extra)``; empty when nothing is known."""
    name = text(service, "name")
    if not name:
        return ""
    name = f"ssl/{name}" if raw(service, "tunnel") else name
    extra = text(service, "extrainfo")
    words = " ".join(part for part in (text(service, "product"), text(service, "version")) if part)
    more = f"{words} ({extra})" if extra and words else words or extra
    return f"{name}, {more}" if more else name


def service_story(service: Fields, most: int, judged: float) -> Iterator[str]:
    """The lines; nothing when no service is known. ``most``: bytes shown of each side of an exchange;
    ``judged``: when certificates are judged (seconds since 1970): at the time of the scan, the file may be old.
    """
    if not service:
        return
    proof = inner(service, "evidence")
    if not proof:
        if raw(service, "method") == "table" and raw(service, "name"):
            yield f"{_INDENT}{text(service, 'name')}: only the usual name of the number; nobody asked it (-sV does)"
        return
    exchanges = list(each(proof, "exchanges"))
    for exchange in exchanges[:MOST_EXCHANGES]:
        yield from _exchange(exchange, most)
    if len(exchanges) > MOST_EXCHANGES:
        yield f"{_INDENT}({counted(len(exchanges) - MOST_EXCHANGES, 'exchange')} more in the file)"
    yield from _tls(inner(service, "tls"), judged)
    rule, reason = text(proof, "rule"), text(proof, "reason")
    decided = f"decided by rule {rule}" if rule else "no rule decided"
    yield f"{_INDENT}{decided}{f': {reason}' if reason else ''}"
    confidence = whole(service, "confidence")
    yield f"{_INDENT}so it is {service_words(service) or 'unknown'} (confidence {confidence} of 10)"


def _exchange(exchange: Fields, most: int) -> Iterator[str]:
    sent, received = raw(exchange, "sent"), raw(exchange, "received")
    probe = text(exchange, "probe") or "a probe"
    said = f"{probe}: {counted(len(sent), 'byte')} sent" if sent else f"{probe}: only listened"
    through = " through TLS" if raw(exchange, "tunnel") else ""
    total, took = max(whole(exchange, "total"), len(received)), number(exchange, "seconds")
    answer = f"{counted(total, 'byte')} received" if total else "nothing received"
    lasted = f" in {two_digits(took)}s" if took is not None else ""
    yield f"{when(number(exchange, 'at'))}{said}{through}, {answer}{lasted}: {text(exchange, 'outcome')}"
    for title, data in (("sent", sent), ("received", received)):
        if data:
            yield f"{_INDENT}  {title}: {escaped(data, most)}"


def _tls(facts: Fields, judged: float) -> Iterator[str]:
    if not facts:
        return
    yield _INDENT + tls_words(text(facts, "version"), text(facts, "cipher"), text(facts, "via"))
    found = inner(facts, "certificate")
    if found:
        certificate = Certificate(
            subject=raw(found, "subject"),
            issuer=raw(found, "issuer"),
            names=tuple(texts(found, "names")),
            not_before=number(found, "not_before"),
            not_after=number(found, "not_after"),
            self_signed=found.get("self_signed") is True,
            problem=raw(found, "problem"),
        )
        yield f"{_INDENT}certificate {shown(certificate_words(certificate, judged))}"
