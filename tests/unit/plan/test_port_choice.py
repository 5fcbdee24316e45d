"""Spec sheet 1.4: which ports."""

from leadline.data.ranking import top_ports
from leadline.model.port import Protocol
from leadline.plan.options import Options
from leadline.plan.port_choice import choose_ports, read_ports

TCP = (Protocol.TCP,)


def test_default_is_the_thousand_most_common() -> None:
    choice = choose_ports(Options(), TCP)
    assert choice.ports.of(Protocol.TCP) == tuple(sorted(top_ports(Protocol.TCP, 1000)))
    assert len(choice.ports) == 1000
    assert not choice.mistakes
    assert not choice.notices


def test_fast_and_top() -> None:
    assert choose_ports(Options(fast=True), TCP).ports.of(Protocol.TCP) == tuple(sorted(top_ports(Protocol.TCP, 100)))
    assert choose_ports(Options(top_ports=3), TCP).ports.of(Protocol.TCP) == tuple(sorted(top_ports(Protocol.TCP, 3)))
    assert len(choose_ports(Options(top_ports=10**9), TCP).ports) == 65535


def test_typed_ports() -> None:
    assert choose_ports(Options(ports="443,20-22"), TCP).ports.of(Protocol.TCP) == (20, 21, 22, 443)
    assert len(choose_ports(Options(ports="-"), TCP).ports) == 65535


def test_top_ports_of_a_range() -> None:
    chosen = choose_ports(Options(ports="1-1024", top_ports=5), TCP).ports.of(Protocol.TCP)
    ranked = [number for number in top_ports(Protocol.TCP, 65535) if number <= 1024]
    assert chosen == tuple(sorted(ranked[:5]))


def test_excluded_ports_are_gone() -> None:
    choice = choose_ports(Options(ports="1-10", exclude_ports="2-9,U:53"), TCP)
    assert choice.ports.of(Protocol.TCP) == (1, 10)
    assert 53 in choice.excluded.of(Protocol.UDP)


def test_nothing_left_is_a_mistake() -> None:
    assert choose_ports(Options(ports="80", exclude_ports="80"), TCP).mistakes == [
        "--exclude-ports leaves no TCP port to scan."
    ]
    assert choose_ports(Options(ports="U:53"), TCP).mistakes == ["-p U:53 names no TCP port to scan."]


def test_ports_of_other_protocols_are_said() -> None:
    choice = choose_ports(Options(ports="T:80,U:53"), TCP)
    assert choice.ports.ports == {Protocol.TCP: (80,)}
    assert choice.notices == ["The UDP ports of -p are not scanned: no UDP scan is asked for."]


def test_faults_name_the_option() -> None:
    choice = choose_ports(Options(ports="99999", exclude_ports="9-1"), TCP)
    assert [message.split(":")[0] for message in choice.mistakes] == ["--exclude-ports", "-p"]
    assert not choice.ports


def test_without_port_scan_only_exclusions_are_read() -> None:
    choice = choose_ports(Options(exclude_ports="80"), ())
    assert not choice.ports
    assert choice.excluded.of(Protocol.TCP) == choice.excluded.of(Protocol.UDP) == (80,)


def test_read_ports_of_nothing() -> None:
    mistakes: list[str] = []
    assert not read_ports(None, TCP, "-p", mistakes)
    assert mistakes == []


def test_no_top_ports_are_told_of_by_the_check_alone() -> None:
    assert choose_ports(Options(top_ports=0), TCP).mistakes == []
