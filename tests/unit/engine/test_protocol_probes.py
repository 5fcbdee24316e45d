import pytest

from leadline.engine.probe_kind import ProbeKind
from leadline.engine.protocol_probes import protocol_content, protocol_probe
from leadline.wire.checksum import checksum


@pytest.mark.parametrize(
    ("protocol", "family", "probe"),
    [
        (1, 4, (ProbeKind.ICMP_ECHO, 0)),
        (58, 6, (ProbeKind.ICMP_ECHO, 0)),
        (58, 4, (ProbeKind.IP_PROTOCOL, 58)),
        (1, 6, (ProbeKind.IP_PROTOCOL, 1)),
        (6, 4, (ProbeKind.TCP_ACK, 80)),
        (17, 6, (ProbeKind.UDP, 40_125)),
        (132, 4, (ProbeKind.SCTP_INIT, 80)),
        (2, 4, (ProbeKind.IP_PROTOCOL, 2)),
        (255, 6, (ProbeKind.IP_PROTOCOL, 255)),
    ],
)
def test_proper_headers(protocol: int, family: int, probe: tuple[ProbeKind, int]) -> None:
    assert protocol_probe(protocol, family) == probe


def test_only_igmp_has_content() -> None:
    query = protocol_content(2, 4)
    assert (len(query), query[0], checksum(query)) == (8, 0x11, 0)
    others = [(number, family) for number in range(256) for family in (4, 6) if (number, family) != (2, 4)]
    assert not any(protocol_content(*other) for other in others)
