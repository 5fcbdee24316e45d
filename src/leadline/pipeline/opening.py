"""How a scan begins and ends: what its stages share, what they are allowed to do, the first and the last event."""

from __future__ import annotations

import os

import numpy as np

from leadline.engine.control import Control
from leadline.engine.identity import SLOTS, pick_first_port
from leadline.engine.rate import RateLimiter
from leadline.engine.session import PORT_BLOCKS, Session
from leadline.errors import PrivilegeError, ScanError
from leadline.link.base import Network
from leadline.model.event import ScanEnded, ScanInfo
from leadline.model.plan import WITHOUT_RIGHTS, Plan, Technique
from leadline.model.port import Protocol
from leadline.model.tcp_flags import flag_names
from leadline.ports.result import ranges_of
from leadline.ports.stage import techniques_of


def make_session(plan: Plan, network: Network, control: Control) -> Session:
    """Keys, source ports, pace and rights of a scan that begins now; a seed in the plan fixes every chance."""
    seed = plan.targets.seed
    generator = np.random.default_rng(seed)
    now = network.clock.now()
    key = os.urandom(16) if seed is None else generator.bytes(16)
    raw = plan.wants_raw and (network.can_send_raw() if plan.privileged is None else plan.privileged)
    random = int(generator.integers(1 << 30))
    return Session(
        plan=plan,
        network=network,
        control=control,
        raw=raw,
        key=key,
        first_port=pick_first_port(random - random % (PORT_BLOCKS * SLOTS)),
        generator=generator,
        rate=RateLimiter(plan.timing.max_rate, plan.timing.min_rate, now),
        epoch=now,
    )


def check_rights(plan: Plan, session: Session) -> None:
    """A SYN scan has a substitute, the others have none. Only a plan made for another network comes so far."""
    if session.raw:
        return
    for wanted in plan.ports.techniques:
        has_substitute = wanted is Technique.SYN and plan.ports.scan_flags is None
        if wanted not in WITHOUT_RIGHTS and not has_substitute:
            message = f"raw packets cannot be sent, and a scan of the kind {wanted.value} sends nothing else"
            raise PrivilegeError(message)


def scan_infos(plan: Plan, session: Session) -> tuple[ScanInfo, ...]:
    """What the first event says of each technique."""
    infos = []
    for technique in techniques_of(session):
        protocol = technique.protocol
        numbers = plan.ports.ports.of(protocol)
        flagged = plan.ports.scan_flags is not None and protocol is Protocol.TCP
        flags = flag_names(plan.ports.scan_flags or 0) if flagged else ""
        infos.append(ScanInfo(technique.value, protocol, len(numbers), _range_list(numbers), flags))
    return tuple(infos)


def _range_list(numbers: tuple[int, ...]) -> str:
    pairs = ranges_of(np.array(numbers, dtype=np.int64))
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)


def scan_ended(session: Session, failure: Exception | None) -> ScanEnded:
    """Close the links and say how it ended; ``failure``: the error that did, if one did."""
    counted, tally, stop = session.close(), session.tally, session.control.stop
    exit_word, message = ("interrupted", f"interrupted by {stop}") if stop else ("success", "")
    if failure is not None:
        name = "" if isinstance(failure, ScanError) else f"internal error: {type(failure).__name__}: "
        exit_word, message = "error", f"{name}{failure}"
    return ScanEnded(
        at=session.at(),
        ended=session.network.clock.epoch(),
        exit=exit_word,
        message=message,
        hosts_up=tally.hosts_up,
        hosts_down=tally.hosts_down,
        hosts_total=tally.hosts_done,
        packets_sent=counted.sent,
        bytes_sent=counted.sent_bytes,
        packets_received=counted.received,
        bytes_received=counted.received_bytes,
    )
