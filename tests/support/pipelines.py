"""Whole simulated scans of the pipeline: their events, and what was raised after the last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from leadline.engine.control import Control
from leadline.errors import LinkError
from leadline.model.address import Address
from leadline.model.event import (
    Event,
    HostDone,
    HostFound,
    ScanEnded,
)
from leadline.pipeline import run
from leadline.plan.build import build_plan
from leadline.plan.options import Options
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from leadline.sim.world import SimHost, World, ports, simple_world

NEAR = ("192.0.2.5", "192.0.2.6")


def world_of(*addresses: str, raw: bool = True) -> World:
    hosts = [
        SimHost((ip_address(one),), hostname=f"host-{one[-1]}.example", tcp=ports(22, 80)) for one in addresses or NEAR
    ]
    return replace(simple_world(hosts), raw=raw)


def collect(
    network: SimNetwork, *targets: str, resolver: Any = None, **options: Any
) -> tuple[list[Event], Exception | None]:
    """The events, and what was raised after the last one."""
    given = {"reverse": "never", "seed": 1} | options
    plan = build_plan(Options(targets=targets, **given), network.can_send_raw())
    events: list[Event] = []
    try:
        events.extend(run(plan, network, resolver or network.resolver(), Control()))
    except Exception as error:  # noqa: BLE001
        return events, error
    return events, None


def done(events: list[Event]) -> dict[str, Any]:
    return {str(event.host.address): event.host for event in events if isinstance(event, HostDone)}


def break_links(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Links break as soon as ``limit`` frames were received over one."""
    look = SimLink.next_look

    def fail(link: SimLink, until: float) -> float:
        if link.statistics.received >= limit:
            raise LinkError("eth0: the interface is gone")
        return look(link, until)

    monkeypatch.setattr(SimLink, "next_look", fail)


def check_failure(events: list[Event], error: Exception | None, kind: type[Exception], message: str) -> None:
    assert isinstance(error, kind)
    last = events[-1]
    assert isinstance(last, ScanEnded)
    assert (last.exit, last.message) == ("error", message)
    found = {str(event.address) for event in events if isinstance(event, HostFound)}
    assert found <= set(done(events))


class FailingResolver:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def forward(
        self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
    ) -> dict[str, tuple[Address, ...]]:
        return {}

    def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
        raise self._error
