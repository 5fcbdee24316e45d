"""What liars put on the wire: is it what they say, is it bounded, and does the decoder bear it?"""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np
import pytest

from leadline.sim.integrity import intact
from leadline.sim.liars import (
    BELIEVABLE,
    LIES,
    Absurd,
    Chorus,
    Contradiction,
    FalseQuotes,
    Flood,
    Late,
    Lie,
    Mirror,
    Noise,
    OddFlags,
    Shuffled,
    Tarpit,
    Truncated,
    Unasked,
    WrongPorts,
    WrongSource,
    WrongTag,
    openings,
    syn_acks,
)
from leadline.sim.traffic import AnswerKind, answers_to, take
from leadline.sim.world import SimHost, simple_world
from leadline.wire.columns import Decoded, Kind, decode
from leadline.wire.template import IcmpKind
from tests.support.sim_columns import probes
from tests.support.sim_scanner import Scanner, states

TARGETS = ("10.0.0.1", "2001:db8:ffff::5")
PORTS = list(range(1, 201))


def scan(lie: Lie, target: str = TARGETS[0], **options: object) -> tuple[Scanner, Decoded]:
    world = simple_world([SimHost(tuple(ip_address(one) for one in TARGETS), lie=lie)])
    scanner = Scanner(world, target, **options)  # type: ignore[arg-type]
    return scanner, scanner.tcp(target, PORTS)


def believable(scanner: Scanner, answer: Decoded, target: str) -> set[int]:
    """Ports with a SYN/ACK that passes every check a scanner can make (probe ``i`` had number ``65536 i + 7``)."""
    tcp = (answer.kind == Kind.TCP) & (answer.tcp_flags & 0x16 == 0x12)
    tcp &= (answer.destination_port == 40_000) & (answer.destination_lo == scanner.framing.source_lo)
    tcp &= answer.source_lo == int(ip_address(target)) & (2**64 - 1)
    expected = (answer.source_port.astype(np.int64) - 1) * 65_536 + 8
    return set(answer.source_port[tcp & (answer.acknowledgment == expected)].tolist())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("lie", LIES, ids=repr)
def test_no_lie_can_be_taken_for_an_open_port(lie: Lie, target: str) -> None:
    scanner, answer = scan(lie, target)
    assert believable(scanner, answer, target) == set()
    assert not isinstance(lie, BELIEVABLE)
    # Nobody who lies about TCP is silent about everything.
    assert scanner.network.tally.arrived >= len(PORTS)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("lie", [Tarpit(), Contradiction()], ids=repr)
def test_believable_lies_are_indistinguishable(lie: Lie, target: str) -> None:
    scanner, answer = scan(lie, target)
    assert believable(scanner, answer, target) == set(PORTS)
    assert intact(scanner.frames, answer, np.arange(len(answer))).all()


@pytest.mark.parametrize("lie", [*LIES, Tarpit()], ids=repr)
def test_lies_leave_discovery_alone(lie: Lie) -> None:
    world = simple_world([SimHost((ip_address("192.0.2.9"), ip_address("10.0.0.1")), lie=lie)])
    assert len(Scanner(world, "192.0.2.9").who_has("192.0.2.9")) == 1
    if isinstance(lie, Truncated | Noise | Absurd):
        return
    answer = Scanner(world, "10.0.0.1").icmp("10.0.0.1", IcmpKind.ECHO, b"x")
    assert Kind.ICMP_ECHO_REPLY in answer.kind.tolist()


def test_truth_is_the_base() -> None:
    _, answer = scan(Lie())
    assert states(answer) == dict.fromkeys(PORTS, "closed")


def test_contradiction_says_both() -> None:
    _, answer = scan(Contradiction())
    assert sorted(answer.tcp_flags.tolist()) == [18] * 200 + [20] * 200


def test_wrong_tag_is_off_by_what_it_says() -> None:
    for offset in (1, -1, 70_000):
        _, answer = scan(WrongTag(offset=offset))
        expected = (answer.source_port.astype(np.int64) - 1) * 65_536 + 8 + offset
        assert (answer.acknowledgment == expected).all()


def test_shuffled_tags_are_all_somebodys() -> None:
    _, answer = scan(Shuffled())
    assert len(answer) == 200
    assert sorted(answer.acknowledgment.tolist()) == [port * 65_536 + 8 for port in range(200)]


def test_shuffling_one_is_the_truth() -> None:
    asked = probes(["10.0.0.1"], [80])
    honest = answers_to(asked, AnswerKind.TCP)
    assert Shuffled().answers(asked, honest, np.random.default_rng(1)) is honest


def test_wrong_ports_and_sources() -> None:
    scanner, answer = scan(WrongPorts())
    assert len(set(answer.source_port.tolist()) - set(PORTS)) > 150
    _, answer = scan(WrongSource(distance=3))
    assert set(answer.source_lo.tolist()) == {int(ip_address("10.0.0.4"))}
    _, answer = scan(WrongPorts(ours=True))
    # What goes to other ports of ours is mostly kept off by the capture filter.
    assert len(answer) < 50
    assert scanner.network.tally.answers >= 200


def test_unasked_and_flood_count() -> None:
    _, answer = scan(Unasked(count=7))
    assert len(answer) == 8 * len(PORTS)
    _, answer = scan(Unasked(count=2, anywhere=True))
    assert len(set(answer.source_lo.tolist())) > 100
    _, answer = scan(Flood(factor=20))
    assert len(answer) == (1 + 20 + 20) * len(PORTS)


def test_a_flood_is_bounded_by_the_network() -> None:
    scanner, answer = scan(Flood(factor=1000), in_flight=5000, ring=2000)
    assert len(answer) <= 5000
    assert scanner.link.statistics.dropped >= 250_000


def test_odd_flags_and_mirrors() -> None:
    _, answer = scan(OddFlags())
    assert not ((answer.tcp_flags & 0x16) == 0x12).any()
    assert len(set(answer.tcp_flags.tolist())) > 5
    _, answer = scan(Mirror())
    assert set(answer.tcp_flags.tolist()) == {2}
    assert (answer.sequence == (answer.source_port.astype(np.int64) - 1) * 65_536 + 7).all()
    scanner, answer = scan(Mirror(swapped=False))
    assert len(answer) == 0
    assert scanner.network.tally.answers >= 200


def test_late_is_late() -> None:
    world = simple_world([SimHost((ip_address("10.0.0.1"),), lie=Late(seconds=5.0))])
    scanner = Scanner(world, "10.0.0.1")
    frames = scanner.tcp_frames("10.0.0.1", PORTS)
    sent = scanner.network.clock.now()
    times = scanner.exchange(frames, quiet=20.0).times - sent
    assert len(times) == 200
    assert 5.0 <= times.min() <= times.max() <= 10.1


@pytest.mark.parametrize("target", TARGETS)
def test_false_quotes_are_well_formed_and_never_ours(target: str) -> None:
    scanner, answer = scan(FalseQuotes(count=3), target)
    errors = answer.kind == Kind.ICMP_ERROR
    assert errors.sum() >= 400
    assert intact(scanner.frames, answer, np.arange(len(answer))).all()
    quoted = answer.quoted_valid & errors
    ours = quoted & (answer.quoted_source_port == 40_000) & np.isin(answer.quoted_destination_port, PORTS)
    assert not ours.any()
    assert quoted.any()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("lie", [Truncated(), Absurd(), Noise(count=5), Chorus(lies=(Truncated(), Absurd()))], ids=repr)
def test_broken_frames_decode_without_harm(lie: Lie, target: str) -> None:
    scanner, answer = scan(lie, target)
    assert len(decode(scanner.frames)) == len(answer)
    assert scanner.network.tally.answers >= 200


def test_broken_neighbor_answers_only_when_asked_for() -> None:
    host = SimHost((ip_address("192.0.2.9"),), lie=Noise(neighbors=True, count=4))
    assert len(Scanner(simple_world([host]), "192.0.2.9").who_has("192.0.2.9")) <= 4


def test_bytes_of_nothing() -> None:
    scanner, _ = scan(Lie())
    nothing = scanner.link.receive()
    for lie in LIES:
        assert len(lie.frames(nothing, np.random.default_rng(1))) == 0


def test_only_opening_probes_are_lied_to() -> None:
    asked = probes(["10.0.0.1"] * 4, [1, 2, 3, 4])
    asked.flags[:] = (2, 16, 4, 18)
    assert openings(asked).target_port.tolist() == [1]
    assert syn_acks(take(asked, slice(0, 2)), np.random.default_rng(1)).acknowledgment.tolist() == [1001, 1002]
