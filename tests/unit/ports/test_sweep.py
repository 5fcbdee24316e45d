"""When a large set of targets is swept, and in which portions."""

from __future__ import annotations

from typing import Any

import pytest

from leadline.plan.build import build_plan
from leadline.plan.options import Options, PingRequest
from leadline.ports.sweep import is_swept


def swept(raw: bool = True, **fields: Any) -> bool:
    given = {"targets": ("10.0.0.0/8",), "techniques": ("syn",), "skip_discovery": True, "ports": "80"} | fields
    return is_swept(build_plan(Options(**given), raw), raw)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ports": "22,80,443"},
        {"ports": "1-256"},
        {"skip_discovery": False, "pings": (PingRequest("tcp-syn", "80"),)},
        {"max_rate": 100.0},
        {"versions": True},
        {"timing": 4},
    ],
)
def test_swept(fields: dict[str, Any]) -> None:
    assert swept(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"ports": "1-257"},
        {"techniques": ("ack",)},
        {"techniques": ("syn", "sctpinit"), "ports": "T:80,S:53"},
        {"ttl": 9},
        {"techniques": ("connect",)},
        {"scan_flags": "SYNFIN"},
        {"skip_discovery": False},
        {"skip_discovery": False, "pings": (PingRequest("tcp-syn", "81"),)},
        {"skip_discovery": False, "list_scan": True, "techniques": (), "ports": None},
        {"sequential": True},
        {"timing": 2},
        {"timing": 5},
        {"max_parallelism": 100},
        {"host_timeout": 60.0},
        {"max_hostgroup": 64},
        {"no_group_control": True},
        {"defeat_rst_ratelimit": True},
    ],
)
def test_not_swept(fields: dict[str, Any]) -> None:
    assert not swept(**fields)


def test_not_without_raw_packets() -> None:
    assert not swept(raw=False)
