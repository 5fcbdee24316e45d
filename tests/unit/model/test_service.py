"""Services: what is not known is empty, what was given away stays what it was."""

from __future__ import annotations

import pytest

from leadline.model import service as module
from leadline.model.service import Certificate, Service, ServiceEvidence, TlsFacts
from tests.support.frozen import check_frozen, loads, values_of
from tests.support.service_events import CERTIFICATE, web

PROOF = web().evidence
assert PROOF is not None
VALUES = [web(), PROOF, PROOF.exchanges[0], TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", CERTIFICATE), CERTIFICATE]


def test_a_name_from_the_port_number_is_all_that_is_known_by_default() -> None:
    service = Service("http")
    assert service == Service("http", "table", 3)
    assert (service.product, service.version, service.extrainfo, service.hostname) == ("", "", "", "")
    assert (service.ostype, service.devicetype, service.tunnel, service.fingerprint) == ("", "", "", "")
    assert (service.cpe, service.tls, service.evidence) == ((), None, None)


def test_tls_is_direct_unless_a_protocol_led_to_it() -> None:
    assert TlsFacts("TLSv1.3", "x").via == "direct"
    assert (Certificate().not_before, Certificate().not_after) == (None, None)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_services_are_frozen(value: object) -> None:
    check_frozen(value)
    assert len({value, value}) == 1


def test_services_compare_by_what_they_hold() -> None:
    assert web() == web()
    assert len({Service("http"), Service("http"), Service("http", evidence=ServiceEvidence())}) == 2


def test_every_value_is_looked_at() -> None:
    assert {type(value) for value in VALUES} == set(values_of(module))


def test_services_need_no_numpy() -> None:
    assert not loads("leadline.model.service", "numpy")
