import pytest

from leadline.engine.probe_kind import ProbeKind


def test_values_fit_their_column_and_none_is_zero() -> None:
    assert ProbeKind.NONE == 0
    assert max(ProbeKind) < 256


@pytest.mark.parametrize(
    ("kind", "label"), [(ProbeKind.TCP_SYN, "tcp-syn"), (ProbeKind.ARP, "arp"), (ProbeKind.ICMP_ECHO, "icmp-echo")]
)
def test_labels_are_what_users_read(kind: ProbeKind, label: str) -> None:
    assert kind.label == label
