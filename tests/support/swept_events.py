"""Hosts of a sweep in columns, made up: for the tests of the model and of reports."""

from __future__ import annotations

from ipaddress import ip_address

import numpy as np

from leadline.model.host import HostStatus
from leadline.model.port import PortState, Protocol, Reason
from leadline.model.swept import HostsSwept


def swept_event(count: int = 40, *, family: int = 4, ports: tuple[int, ...] = (80, 443), seed: int = 1) -> HostsSwept:
    """Hosts in a few kinds, with latencies of their own; the third one has a port that a router answered for."""
    random = np.random.default_rng(seed)
    width = len(ports)
    base = 0x0A000000 if family == 4 else 5
    choice = np.arange(count)[:, None] % 3 + np.zeros(width, np.int64)
    choice[:, -1] = np.arange(count) % 2
    states = np.array([PortState.CLOSED, PortState.OPEN, PortState.FILTERED], np.uint8)[choice]
    reasons = np.array([Reason.RESET, Reason.SYN_ACK, Reason.HOST_PROHIBITED], np.uint8)[choice]
    trips = np.round(random.random((count, width)) * 0.2 + 0.0001, 6)
    silent = np.zeros((count, width), bool)
    silent[::5, 0] = True
    states[silent], reasons[silent], trips[silent] = PortState.FILTERED, Reason.NO_RESPONSE, np.nan
    replies = np.where(silent, 0, choice + 1).astype(np.uint16)
    rtt = np.nanmin(trips, axis=1) if width > 1 else trips[:, 0]
    return HostsSwept(
        at=3.5, family=family, hi=np.full(count, 0 if family == 4 else 0x20010DB800000000, np.uint64),
        lo=base + np.arange(count, dtype=np.uint64) * 7,
        status=np.full(count, HostStatus.UP, np.uint8), reasons=np.full(count, Reason.USER_SET, np.uint8),
        ttls=np.zeros(count, np.uint8), rtt=rtt, rttvar=np.clip(rtt, 0.005, 2.0), timeout=np.full(count, 0.25),
        probe="syn", protocol=Protocol.TCP, numbers=ports, services=tuple("http" if one == 80 else "" for one in ports),
        states=states, port_reasons=reasons, port_ttls=np.where(silent, 0, 57).astype(np.uint8),
        tries=np.full((count, width), 2, np.uint8), answered_try=np.where(silent, 0, 1).astype(np.uint8),
        replies=replies, words=("", "tcp RA", "tcp SA", "icmp 3/10"),
        rules=replies, rule_words=("syn: no reply to any try -> filtered", "syn: 100% sure", "syn: b", "syn: c"),
        trips=trips, times=np.round(random.random((count, width)) * 3, 6), started=1795436744.0, ended=1795436750.0,
        responders={(2, 0): ip_address("192.0.2.254")} if count > 2 else {},
    )  # fmt: skip
