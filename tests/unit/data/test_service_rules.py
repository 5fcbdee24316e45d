from __future__ import annotations

import dataclasses

import pytest

from leadline.data.service_rules import NULL, Rule, ServiceProbe, ServiceProbes, Template
from leadline.model.port import Protocol


def test_values_are_frozen() -> None:
    values = (Template(), Rule(0, "a", False, b"b", False, False, Template()), ServiceProbe(Protocol.TCP, "A", b"x"))
    for value in (*values, ServiceProbes()):
        name = dataclasses.fields(value)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, None)


def test_a_rule_tells_where_it_is_written() -> None:
    assert Rule(0, "a", False, b"b", False, False, Template(), source="file", line=7).place == "file:7"


@pytest.mark.parametrize(
    ("protocol", "name", "payload", "is_null"),
    [
        (Protocol.TCP, NULL, b"", True),
        (Protocol.TCP, NULL, b"x", False),
        (Protocol.TCP, "Other", b"", False),
        (Protocol.UDP, NULL, b"", False),
    ],
)
def test_the_null_probe_is_the_one_that_only_listens(
    protocol: Protocol, name: str, payload: bytes, is_null: bool
) -> None:
    assert ServiceProbe(protocol, name, payload).is_null is is_null


def test_probable_ports_are_plain_or_behind_tls() -> None:
    probe = ServiceProbe(Protocol.TCP, "A", b"x", ports=((80, 80), (8000, 8010)), ssl_ports=((443, 443),))
    assert [port for port in (79, 80, 81, 443, 7999, 8000, 8010, 8011) if probe.lists(port)] == [80, 8000, 8010]
    assert [port for port in (80, 443, 444) if probe.lists(port, "ssl")] == [443]


def test_names_are_those_of_one_protocol() -> None:
    tcp, udp = ServiceProbe(Protocol.TCP, "A", b"x"), ServiceProbe(Protocol.UDP, "A", b"y")
    probes = ServiceProbes((tcp, udp))
    assert probes.named(Protocol.TCP, "A") is tcp
    assert probes.named(Protocol.UDP, "A") is udp
    assert probes.named(Protocol.UDP, "B") is None
    assert len(probes.excluded) == 0
