import pytest

from leadline.engine.probe_kind import ProbeKind, tcp_kind


def test_values_fit_their_column_and_none_is_zero() -> None:
    assert ProbeKind.NONE == 0
    assert max(ProbeKind) < 256


@pytest.mark.parametrize(
    ("kind", "label"), [(ProbeKind.TCP_SYN, "tcp-syn"), (ProbeKind.ARP, "arp"), (ProbeKind.ICMP_ECHO, "icmp-echo")]
)
def test_labels_are_what_users_read(kind: ProbeKind, label: str) -> None:
    assert kind.label == label


def test_flags_that_have_a_kind_of_their_own() -> None:
    assert (tcp_kind(2), tcp_kind(16)) == (ProbeKind.TCP_SYN, ProbeKind.TCP_ACK)
    assert {tcp_kind(flags) for flags in range(256) if flags not in (2, 16)} == {ProbeKind.TCP_FLAGS}
