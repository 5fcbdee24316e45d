"""The Python API: arguments, where they go, and mistakes in them."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

import leadline
from leadline import PingRequest, api
from leadline.errors import PrivilegeError, UsageError
from leadline.model.plan import PacketShape, PingKind, PingProbe, Proxy, ServicePlan, Technique
from leadline.model.port import Protocol
from leadline.sim.network import SimNetwork
from leadline.sim.world import World
from tests.support.api_scans import WORLD, plan_of, scan_of


def test_every_argument_reaches_its_place_in_the_plan() -> None:
    plan = plan_of(
        targets="10.0.0.5", ports="1-100", exclude_ports="7", technique="connect", exclude=["10.0.0.9", "10.0.0.10"],
        randomize_hosts=True, resolve_all=True, unique=True, family=4, reverse="never", dns_servers=["192.0.2.53"],
        timing=4, max_retries=2, host_timeout=60, scan_delay=0.5, min_rate=10, max_rate=20.5, min_parallelism=2,
        max_parallelism=9, open_only=True, verbosity=1, seed=5,
        pings=[PingRequest("tcp-syn", "22,80"), PingRequest("icmp-echo")], versions=True, version_intensity=3,
        version_wait=2.5, version_trace=True, allports=True,
    )  # fmt: skip
    targets, timing = plan.targets, plan.timing
    assert (targets.exclude, targets.seed) == (("10.0.0.9", "10.0.0.10"), 5)
    assert targets.families == frozenset({4})
    assert targets.randomize
    assert targets.resolve_all
    assert targets.unique
    assert plan.ports.techniques == (Technique.CONNECT,)
    assert plan.ports.ports.of(Protocol.TCP) == tuple(number for number in range(1, 101) if number != 7)
    assert (plan.resolve.reverse, plan.resolve.servers) == ("never", ("192.0.2.53",))
    assert (timing.template, timing.max_retries, timing.host_timeout, timing.scan_delay) == (4, 2, 60, 0.5)
    assert (timing.min_rate, timing.max_rate, timing.min_parallelism, timing.max_parallelism) == (10, 20.5, 2, 9)
    assert plan.services == ServicePlan(enabled=True, intensity=3, every_port=True, wait=2.5, trace=True)
    assert plan.ports.open_only
    assert plan.output.verbosity == 1
    assert {PingProbe(PingKind.TCP_SYN, 22), PingProbe(PingKind.TCP_SYN, 80)} < set(plan.discovery.probes_v4)


def test_proxies_and_rules_of_an_installed_nmap(tmp_path: Path) -> None:
    plan = plan_of(proxies=["socks4://127.0.0.1:9050"], versions=True, patient=True)
    assert plan.proxies == (Proxy("socks4", "127.0.0.1", 9050),)
    assert plan.services.patient
    with pytest.raises(UsageError, match="no nmap-service-probes in"):
        plan_of(versions=True, datadir=str(tmp_path))
    (tmp_path / "own.probes").touch()
    assert plan_of(versions=True, versiondb=str(tmp_path)).services.rules == str(tmp_path)


def test_every_argument_has_a_kind_that_can_be_checked() -> None:
    kinds = get_type_hints(api.ScanArguments)
    assert {name for name, kind in kinds.items() if kind not in api._KINDS} == set(api._NOT_OPTIONS)


@pytest.mark.parametrize(
    ("discovery", "mode", "technique"),
    [
        ("ping", "ping", Technique.SYN),
        ("none", "none", Technique.SYN),
        ("only", "ping", None),
        ("list", "list", None),
    ],
)
def test_the_ways_of_discovery(discovery: str, mode: str, technique: Technique | None) -> None:
    network = SimNetwork(WORLD)
    plan = leadline.scan("10.0.0.5", discovery=discovery, network=network, resolver=network.resolver()).plan
    assert (plan.discovery.mode, plan.ports.techniques) == (mode, (technique,) if technique else ())


def test_most_common_ports() -> None:
    network = SimNetwork(WORLD)
    plan = leadline.scan("10.0.0.5", top_ports=10, network=network, resolver=network.resolver()).plan
    assert len(plan.ports.ports) == 10


def test_all_mistakes_come_in_one_error() -> None:
    with pytest.raises(UsageError) as raised:
        scan_of(
            "10.0.0.300 10.0.0.5 10.0.0.0/33", ports="99999", sourceport=53, discovery="maybe", timing="4", max_rate=-1,
            exclude=["10.0.0.256"], technique="wave",
        )  # fmt: skip
    told = raised.value.messages
    for part in (
        "'sourceport'", "not 'maybe'", "timing must be a whole number, not '4'", "99999", "max-rate", "300", "/33",
        "256", "'wave'",
    ):  # fmt: skip
        assert sum(part in message for message in told) == 1, part
    assert len(told) == 9


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ports", 80, "ports must be text, not 80."),
        ("timing", 4.5, "timing must be a whole number, not 4.5."),
        ("timing", True, "timing must be a whole number, not True."),
        ("max_rate", "fast", "max_rate must be a number, not 'fast'."),
        ("max_rate", False, "max_rate must be a number, not False."),
        ("unique", 1, "unique must be True or False, not 1."),
        ("exclude", [5], "exclude must be a list of texts, not [5]."),
        ("exclude", 5, "exclude must be a list of texts, not 5."),
        ("pings", "tcp-syn", "pings must be a list of PingRequest, not 'tcp-syn'."),
        ("pings", "", "pings must be a list of PingRequest, not ''."),
        ("pings", ["tcp-syn"], "pings must be a list of PingRequest, not ['tcp-syn']."),
        ("targets", None, "targets must be a list of texts, not None."),
        ("targets", "  ", "No targets are given: name hosts or networks, or use -iL FILE or -iR N."),
    ],
)
def test_values_of_the_wrong_kind(name: str, value: object, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        scan_of(**{name: value})  # type: ignore[arg-type]
    assert raised.value.messages == (sentence,)


def test_one_text_stands_for_a_list_of_one() -> None:
    plan = plan_of(exclude="10.0.0.9", dns_servers="192.0.2.53")
    assert (plan.targets.exclude, plan.resolve.servers) == (("10.0.0.9",), ("192.0.2.53",))


def test_what_needs_rights_is_refused_without_them() -> None:
    world = World(WORLD.interfaces, WORLD.subnets, WORLD.hosts, raw=False)
    with pytest.raises(PrivilegeError):
        scan_of(world=world, pings=[PingRequest("udp")])
    assert any("connect scan" in notice for notice in scan_of(world=world, technique="syn").plan.notices)


def test_one_technique_or_several() -> None:
    assert scan_of(technique="ack").plan.ports.techniques == (Technique.ACK,)
    assert scan_of(technique=["connect"]).plan.ports.techniques == (Technique.CONNECT,)
    with pytest.raises(UsageError, match="Only one TCP scan technique"):
        scan_of(technique=("ack", "fin"))
    with pytest.raises(UsageError, match="technique must be"):
        scan_of(technique=7)


def test_the_shape_of_packets() -> None:
    plan = plan_of(mtu=8, decoys="ME", source_port=53, data_hex="00ff", ttl=9, badsum=True, send_layer="ip")
    assert plan.shape == PacketShape(
        chunk=8, decoys=("ME",), source_port=53, data=b"\x00\xff", ttl=9, bad_checksum=True, layer="ip"
    )
    with pytest.raises(UsageError, match="--ttl needs a number from 0 to 255"):
        plan_of(ttl=300)
