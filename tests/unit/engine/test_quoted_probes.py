"""Which errors quote a probe of ours, and which they only seem to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6

from leadline.engine.identity import PING_SLOT
from leadline.engine.probe_kind import ProbeKind
from tests.support.codecs import TCP_KINDS, build, codec_of, match, probes
from tests.support.groups import (
    SOURCES,
    error_reply,
    group_of,
    packets,
)


@settings(max_examples=25)
@given(st.sampled_from([4, 6]), st.sampled_from([*TCP_KINDS, ProbeKind.UDP]), probes)
def test_errors_that_quote_a_probe_name_it(family: int, kind: ProbeKind, wanted: list[tuple[int, int, int]]) -> None:
    codec = codec_of(group_of(family))
    code = (3, 13) if family == 4 else (1, 1)
    router = {4: "10.9.0.254", 6: "fd09::fe"}[family]
    wanted = sorted(wanted, key=lambda probe: probe[1])
    sent = packets(build(codec, kind, *wanted))
    assert match(codec, [error_reply(one, *code) for one in sent]) == [
        (host, kind, port, slot, True, True) for host, port, slot in wanted
    ]
    assert match(codec, [error_reply(one, *code, source=router) for one in sent]) == [
        (host, kind, port, slot, True, False) for host, port, slot in wanted
    ]


@pytest.mark.parametrize("family", [4, 6])
def test_errors_about_udp_must_quote_the_right_ip_identification(family: int) -> None:
    group = group_of(family)
    codec = codec_of(group)
    sent = packets(build(codec, ProbeKind.UDP, (0, 99, 3)))[0]
    believed = [(0, ProbeKind.UDP, 99, 3, True, True)]
    assert match(codec, [error_reply(sent)]) == believed
    if family == 4:
        swapped = sent.copy()
        swapped[IP].id = int.from_bytes(sent[IP].id.to_bytes(2, "big"), "little")
        assert match(codec, [error_reply(swapped)]) == believed
        sent[IP].id ^= 0x0101
        assert match(codec, [error_reply(sent)]) == []


@pytest.mark.parametrize("family", [4, 6])
def test_errors_about_protocols_repeat_what_the_probe_had_of_its_own(family: int) -> None:
    """The IP identification, or the flow label: a packet without content has nothing else."""
    codec, kind = codec_of(group_of(family)), ProbeKind.IP_PROTOCOL
    probes = packets(build(codec, kind, (0, 47, 0), (1, 47, 3), (2, 89, PING_SLOT)))
    error = (3, 2) if family == 4 else (4, 1)
    assert match(codec, [error_reply(one, *error) for one in probes]) == [
        (0, kind, 47, 0, True, True),
        (1, kind, 47, 3, True, True),
        (2, kind, 89, PING_SLOT, True, True),
    ]
    layer, name = (IP, "id") if family == 4 else (IPv6, "fl")
    assert all(getattr(one[layer], name) for one in probes)
    for one in probes:
        setattr(one[layer], name, getattr(one[layer], name) ^ 1)
    assert match(codec, [error_reply(one, *error) for one in probes]) == []


@pytest.mark.parametrize("family", [4, 6])
def test_an_error_about_an_ack_probe_must_repeat_what_it_can(family: int) -> None:
    codec = codec_of(group_of(family))
    sent = packets(build(codec, ProbeKind.TCP_ACK, (0, 80, 0)))[0]
    code = (3, 13) if family == 4 else (1, 1)
    assert len(match(codec, [error_reply(sent, *code)])) == 1
    forged = sent.copy()
    if family == 4:
        forged[IP].id ^= 0x5555
    else:
        forged[TCP].ack ^= 1
    assert match(codec, [error_reply(forged, *code)]) == []


def test_errors_must_quote_us_and_reach_us() -> None:
    codec = codec_of(group_of(4))
    sent = packets(build(codec, ProbeKind.TCP_SYN, (0, 80, 0)))[0]
    for change in ({"src": "10.9.0.2"}, {"dst": "10.9.0.99"}):
        forged = sent.copy()
        for name, value in change.items():
            setattr(forged[IP], name, value)
        reply = error_reply(forged)
        reply[IP].dst = SOURCES[4]
        assert match(codec, [reply]) == []
    reply = error_reply(sent)
    reply[IP].dst = "10.9.0.2"
    assert match(codec, [reply]) == []
    forged = sent.copy()
    forged[TCP].seq ^= 1
    forged[IP].id ^= 0x5555
    assert match(codec, [error_reply(forged)]) == []
