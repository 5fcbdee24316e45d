"""A service as plain JSON values, with every field and the bytes of its dialogue (docs/reference/json-lines.md)."""

from __future__ import annotations

from typing import TypeAlias

from leadline.model.service import Certificate, Exchange, Service, ServiceEvidence, TlsFacts

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def service_object(service: Service) -> Json:
    """Every field; bytes become text with one character a byte (ISO 8859-1), so that they can be had back."""
    return {
        "name": service.name,
        "method": service.method,
        "confidence": service.confidence,
        "product": service.product,
        "version": service.version,
        "extrainfo": service.extrainfo,
        "hostname": service.hostname,
        "ostype": service.ostype,
        "devicetype": service.devicetype,
        "cpe": list(service.cpe),
        "tunnel": service.tunnel,
        "fingerprint": service.fingerprint,
        "tls": None if service.tls is None else _tls(service.tls),
        "evidence": None if service.evidence is None else _evidence(service.evidence),
    }


def _tls(facts: TlsFacts) -> Json:
    return {
        "version": facts.version,
        "cipher": facts.cipher,
        "certificate": None if facts.certificate is None else _certificate(facts.certificate),
        "via": facts.via,
    }


def _certificate(certificate: Certificate) -> Json:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "names": list(certificate.names),
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "self_signed": certificate.self_signed,
        "sha256": certificate.sha256,
        "problem": certificate.problem,
    }


def _evidence(evidence: ServiceEvidence) -> Json:
    return {
        "exchanges": [_exchange(exchange) for exchange in evidence.exchanges],
        "rule": evidence.rule,
        "reason": evidence.reason,
    }


def _exchange(exchange: Exchange) -> Json:
    return {
        "probe": exchange.probe,
        "sent": exchange.sent.decode("latin-1"),
        "received": exchange.received.decode("latin-1"),
        "total": exchange.total,
        "at": exchange.at,
        "seconds": exchange.seconds,
        "outcome": exchange.outcome,
        "tunnel": exchange.tunnel,
    }
