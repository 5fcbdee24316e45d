import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.discovery.classify import classify
from leadline.engine.probe_kind import ProbeKind
from leadline.model.host import HostStatus
from leadline.model.port import Reason

SYN, RST, ACK = 2, 4, 16
UP, DOWN, UNKNOWN = HostStatus.UP, HostStatus.DOWN, HostStatus.UNKNOWN


def one(
    kind: ProbeKind, *, flags: int = 0, error: tuple[int, int] | None = None, own: bool = True, family: int = 4,
    ignore_reset: bool = False, chunk: int = 0,
) -> tuple[HostStatus, Reason]:  # fmt: skip
    icmp_type, code = error or (0, 0)
    status, reasons = classify(
        np.array([kind], dtype=np.uint8), np.array([error is not None]), np.array([own]),
        np.array([family], dtype=np.uint8), np.array([flags], dtype=np.uint16),
        np.array([icmp_type], dtype=np.uint8), np.array([code], dtype=np.uint8), np.array([chunk], dtype=np.uint8),
        ignore_reset,
    )  # fmt: skip
    return HostStatus(int(status[0])), Reason(int(reasons[0]))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ProbeKind.ICMP_ECHO, Reason.ECHO_REPLY),
        (ProbeKind.ICMP_TIMESTAMP, Reason.TIMESTAMP_REPLY),
        (ProbeKind.ICMP_ADDRESS_MASK, Reason.ADDRESSMASK_REPLY),
        (ProbeKind.UDP, Reason.UDP_RESPONSE),
        (ProbeKind.IP_PROTOCOL, Reason.PROTO_RESPONSE),
        (ProbeKind.ARP, Reason.ARP_RESPONSE),
        (ProbeKind.NEIGHBOR, Reason.ND_RESPONSE),
    ],
)
def test_every_direct_reply_means_up(kind: ProbeKind, reason: Reason) -> None:
    assert one(kind) == (UP, reason)


@pytest.mark.parametrize("kind", [ProbeKind.TCP_SYN, ProbeKind.TCP_ACK])
def test_tcp_answers(kind: ProbeKind) -> None:
    assert one(kind, flags=SYN | ACK) == (UP, Reason.SYN_ACK)
    assert one(kind, flags=RST) == one(kind, flags=RST | ACK) == (UP, Reason.RESET)
    assert one(kind, flags=ACK)[0] is UNKNOWN
    assert one(kind, flags=0)[0] is UNKNOWN


def test_a_reset_can_be_ignored_whatever_else_it_says() -> None:
    for flags in (RST, RST | ACK, RST | SYN | ACK):
        assert one(ProbeKind.TCP_SYN, flags=flags, ignore_reset=True)[0] is UNKNOWN
    assert one(ProbeKind.TCP_SYN, flags=SYN | ACK, ignore_reset=True) == (UP, Reason.SYN_ACK)


@pytest.mark.parametrize(
    ("family", "error", "reason"),
    [
        (4, (3, 2), Reason.PROTO_UNREACH),
        (4, (3, 3), Reason.PORT_UNREACH),
        (6, (1, 4), Reason.PORT_UNREACH),
        (6, (4, 1), Reason.PARAM_PROBLEM),
    ],
)
def test_errors_of_the_target_itself_prove_it(family: int, error: tuple[int, int], reason: Reason) -> None:
    assert one(ProbeKind.UDP, error=error, family=family) == (UP, reason)
    assert one(ProbeKind.UDP, error=error, family=family, own=False)[0] is UNKNOWN
    other = 10 - family
    assert one(ProbeKind.UDP, error=error, family=other)[0] is not UP


@pytest.mark.parametrize(("family", "kind"), [(4, 11), (6, 3)])
@pytest.mark.parametrize("code", [0, 1])
def test_time_exceeded_means_down(family: int, kind: int, code: int) -> None:
    assert one(ProbeKind.ICMP_ECHO, error=(kind, code), family=family, own=False) == (DOWN, Reason.TIME_EXCEEDED)


@pytest.mark.parametrize("error", [(3, 0), (3, 1), (3, 9), (3, 10), (3, 13), (4, 0), (5, 1), (12, 0)])
def test_other_errors_decide_nothing(error: tuple[int, int]) -> None:
    for own in (True, False):
        assert one(ProbeKind.ICMP_ECHO, error=error, own=own)[0] is UNKNOWN


def test_an_error_is_no_reply_whatever_the_rest_of_the_row_says() -> None:
    assert one(ProbeKind.TCP_SYN, flags=SYN | ACK, error=(3, 1))[0] is UNKNOWN
    assert one(ProbeKind.ICMP_ECHO, error=(3, 1))[0] is UNKNOWN


def test_columns_are_classified_row_by_row() -> None:
    kinds = np.array([ProbeKind.ICMP_ECHO, ProbeKind.TCP_SYN, ProbeKind.UDP], dtype=np.uint8)
    status, reasons = classify(
        kinds, np.array([False, False, True]), np.array([True, True, False]), np.full(3, 4, dtype=np.uint8),
        np.array([0, RST, 0], dtype=np.uint16), np.array([0, 0, 11], dtype=np.uint8),
        np.zeros(3, dtype=np.uint8), np.zeros(3, dtype=np.uint8), False,
    )  # fmt: skip
    assert status.tolist() == [UP, UP, DOWN]
    assert reasons.tolist() == [Reason.ECHO_REPLY, Reason.RESET, Reason.TIME_EXCEEDED]


@given(
    kind=st.integers(0, 255), error=st.booleans(), own=st.booleans(), family=st.sampled_from([0, 4, 6]),
    flags=st.integers(0, 511), icmp=st.integers(0, 255), code=st.integers(0, 255), ignore=st.booleans(),
)  # fmt: skip
def test_no_column_raises_and_what_decides_has_a_reason(
    kind: int, error: bool, own: bool, family: int, flags: int, icmp: int, code: int, ignore: bool
) -> None:
    status, reasons = classify(
        np.array([kind], dtype=np.uint8), np.array([error]), np.array([own]), np.array([family], dtype=np.uint8),
        np.array([flags], dtype=np.uint16), np.array([icmp], dtype=np.uint8), np.array([code], dtype=np.uint8),
        np.array([code], dtype=np.uint8), ignore,
    )  # fmt: skip
    assert (status[0] == UNKNOWN) == (reasons[0] == 0)


@pytest.mark.parametrize(("chunk", "reason"), [(2, Reason.INIT_ACK), (6, Reason.ABORT)])
def test_sctp_answers(chunk: int, reason: Reason) -> None:
    assert one(ProbeKind.SCTP_INIT, chunk=chunk) == (UP, reason)
    assert one(ProbeKind.SCTP_INIT, chunk=chunk, error=(3, 1), own=False)[0] is UNKNOWN
