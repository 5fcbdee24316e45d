import numpy as np
import pytest

from leadline.discovery.probes import neighbor_columns, raw_columns
from leadline.engine.probe_kind import ProbeKind
from leadline.model.plan import DiscoveryPlan, PingKind, PingProbe


def pairs(plan: DiscoveryPlan, family: int) -> list[tuple[ProbeKind, int]]:
    columns = raw_columns(plan, family)
    return [(ProbeKind(int(kind)), int(number)) for kind, number in zip(columns.kinds, columns.numbers, strict=True)]


def test_probes_keep_their_order_and_each_family_its_own() -> None:
    plan = DiscoveryPlan(
        probes_v4=(PingProbe(PingKind.ICMP_ECHO), PingProbe(PingKind.TCP_SYN, 443), PingProbe(PingKind.ICMP_TIMESTAMP)),
        probes_v6=(PingProbe(PingKind.TCP_ACK, 80),),
    )
    assert pairs(plan, 4) == [(ProbeKind.ICMP_ECHO, 0), (ProbeKind.TCP_SYN, 443), (ProbeKind.ICMP_TIMESTAMP, 0)]
    assert pairs(plan, 6) == [(ProbeKind.TCP_ACK, 80)]


def test_connect_pings_are_not_raw() -> None:
    plan = DiscoveryPlan(probes_v4=(PingProbe(PingKind.TCP_CONNECT, 80), PingProbe(PingKind.SCTP_INIT, 53)))
    assert pairs(plan, 4) == [(ProbeKind.SCTP_INIT, 53)]
    assert len(raw_columns(DiscoveryPlan(probes_v4=plan.probes_v4[:1]), 4).kinds) == 0


def test_protocols_with_a_probe_of_their_own_are_sent_as_that_probe() -> None:
    asked = tuple(PingProbe(PingKind.IP_PROTOCOL, number) for number in (1, 2, 6, 17, 58, 132))
    plan = DiscoveryPlan(probes_v4=asked, probes_v6=asked)
    echo, others = (ProbeKind.ICMP_ECHO, 0), [(ProbeKind.TCP_ACK, 80), (ProbeKind.UDP, 40_125)]
    sctp = (ProbeKind.SCTP_INIT, 80)
    bare = {number: (ProbeKind.IP_PROTOCOL, number) for number in (1, 2, 58)}
    assert pairs(plan, 4) == [echo, bare[2], *others, bare[58], sctp]
    assert pairs(plan, 6) == [bare[1], bare[2], *others, echo, sctp]
    assert raw_columns(plan, 4).protocols.all()


def test_a_probe_that_two_options_ask_for_is_sent_once() -> None:
    plan = DiscoveryPlan(probes_v4=(PingProbe(PingKind.ICMP_ECHO), PingProbe(PingKind.IP_PROTOCOL, 1)))
    assert pairs(plan, 4) == [(ProbeKind.ICMP_ECHO, 0)]


@pytest.mark.parametrize(("family", "kind"), [(4, ProbeKind.ARP), (6, ProbeKind.NEIGHBOR)])
def test_the_local_link_is_asked_for_neighbours(family: int, kind: ProbeKind) -> None:
    columns = neighbor_columns(family)
    assert (columns.kinds.tolist(), columns.numbers.tolist()) == ([kind], [0])


def test_column_of() -> None:
    plan = DiscoveryPlan(
        probes_v4=(PingProbe(PingKind.TCP_SYN, 80), PingProbe(PingKind.TCP_ACK, 80), PingProbe(PingKind.TCP_SYN, 81))
    )
    columns = raw_columns(plan, 4)
    kinds = np.array([ProbeKind.TCP_ACK, ProbeKind.TCP_SYN, ProbeKind.TCP_SYN, ProbeKind.UDP], dtype=np.uint8)
    assert columns.column_of(kinds, np.array([80, 81, 82, 80])).tolist() == [1, 2, -1, -1]
    assert columns.column_of(kinds[:0], np.array([], dtype=np.int64)).tolist() == []
