from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.engine.control import Control
from leadline.engine.session import Session
from leadline.engine.turns import awake
from leadline.errors import NetworkError
from leadline.pipeline.opening import make_session
from leadline.pipeline.zombies import find_zombies
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, SimSubnet, World, simple_world

ZOMBIE = SimHost((ip_address("10.0.0.9"), ip_address("192.0.2.9")), hostname="printer.example")


def session_of(zombie: str, made: World | None = None, **options: object) -> tuple[Session, SimNetwork]:
    network = SimNetwork(made or simple_world([ZOMBIE]), 1)
    plan = build_plan(Options(targets=("10.0.0.5",), zombie=zombie, reverse="never", seed=1, **options), True)  # type: ignore[arg-type]
    return make_session(plan, network, Control()), network


def found(zombie: str, made: World | None = None, **options: object) -> Session:
    session, network = session_of(zombie, made, **options)
    list(awake(find_zombies(session.plan, session, network.resolver()), network))
    return session


@pytest.mark.parametrize("zombie", ["10.0.0.9", "192.0.2.9", "printer.example"])
def test_the_way_to_the_zombie(zombie: str) -> None:
    group = found(zombie).zombies[4]
    assert str(group.address(0)) in ("10.0.0.9", "192.0.2.9")
    assert group.macs.any()
    assert len(group) == 1


def test_without_a_zombie_nothing_is_sent() -> None:
    session, network = session_of("10.0.0.9")
    plan = replace(session.plan, ports=replace(session.plan.ports, zombie=None))
    assert list(find_zombies(plan, session, network.resolver())) == []
    assert session.zombies == {}


@pytest.mark.parametrize(
    ("zombie", "words"),
    [
        ("127.0.0.1", "this machine itself"),
        ("192.0.2.2", "this machine itself"),
        ("192.0.2.77", "next hop does not answer"),
        ("nobody.example", "no address"),
        ("2001:db8::9", "no address of the targets' family"),
    ],
)
def test_of_no_use(zombie: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        found(zombie, family=4)


def test_no_route() -> None:
    made = simple_world([SimHost((ip_address("192.0.2.9"),))])
    made = replace(
        made,
        interfaces=(replace(made.interfaces[0], gateways=()),),
        subnets=tuple(subnet for subnet in made.subnets if isinstance(subnet, SimSubnet)),
    )
    with pytest.raises(NetworkError, match="no route"):
        found("10.0.0.9", made)


def test_stopped_meanwhile() -> None:
    session, network = session_of("192.0.2.77")
    session.control.stop = "SIGINT"
    list(awake(find_zombies(session.plan, session, network.resolver()), network))
    assert session.zombies == {}
