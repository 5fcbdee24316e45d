from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from leadline.model.service import Certificate, Exchange, Service, ServiceEvidence, TlsFacts
from leadline.report.service_object import service_object
from tests.support.service_events import REQUEST, hostile, mail, ssh, unknown, web


def written(service: Service) -> Any:
    return json.loads(json.dumps(service_object(service)))


def test_every_field_has_its_key() -> None:
    value = written(web())
    assert list(value) == [field.name for field in fields(Service)]
    assert list(value["tls"]) == [field.name for field in fields(TlsFacts)]
    assert list(value["tls"]["certificate"]) == [field.name for field in fields(Certificate)]
    assert list(value["evidence"]) == [field.name for field in fields(ServiceEvidence)]
    assert list(value["evidence"]["exchanges"][0]) == [field.name for field in fields(Exchange)]


def test_what_is_not_known_is_null() -> None:
    value = written(Service("ppp"))
    assert (value["tls"], value["evidence"], value["cpe"], value["product"]) == (None, None, [], "")
    assert written(Service("x", tls=TlsFacts("TLSv1.3", "")))["tls"]["certificate"] is None


@pytest.mark.parametrize("service", [ssh(), web(), mail(), hostile(), unknown()], ids=lambda service: service.name)
def test_bytes_can_be_had_back(service: Service) -> None:
    assert service.evidence is not None or service == mail()
    for exchange, value in zip(
        service.evidence.exchanges if service.evidence else (),
        (written(service)["evidence"] or {"exchanges": []})["exchanges"],
        strict=True,
    ):
        assert value["sent"].encode("latin-1") == exchange.sent
        assert value["received"].encode("latin-1") == exchange.received


def test_values_are_kept() -> None:
    value = written(web())
    assert value["tunnel"] == "ssl"
    assert value["evidence"]["rule"] == "20-http-servers.probes:42"
    assert value["evidence"]["exchanges"][1]["sent"] == REQUEST.decode()
    assert value["evidence"]["exchanges"][1]["total"] == 70_000
    assert value["tls"]["certificate"]["names"][:2] == ["www.example.org", "example.org"]
