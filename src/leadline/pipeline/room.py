"""How many hosts may be scanned at the same time, and when the next group of them is worth beginning.

A group's columns are kept until its last host is finished, so two things are bounded: what is at work (hosts, and
probes to them) and what is kept for it. A new group begins as soon as half of the room is free, not when the slowest
host is done.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadline.model.address import U64
from leadline.model.plan import TimingPlan
from leadline.model.quick_dataclass import dataclass
from leadline.ports.stage import MOST_ITEMS

# Items kept by all groups together, in full groups: one that is at work and as much again for the slow hosts of others.
KEPT = 2
# Each group costs a turn of the loop, whatever it has to do.
MOST_GROUPS = 8
# A group of fewer hosts than this share of the room is not worth its turn while others are at work.
LEAST_SHARE = 8


@dataclass(slots=True, eq=False)
class Running:
    """A group at work: ``each`` items a host, ``active`` of its hosts not finished; ``hi``, ``lo``: all of them."""

    each: int
    active: int
    hi: U64
    lo: U64

    @property
    def items(self) -> int:
        """Items kept for it."""
        return self.each * len(self.lo)


def next_size(waiting: int, each: int, running: Sequence[Running], timing: TimingPlan) -> int:
    """How many of ``waiting`` hosts with ``each`` items to begin with now; 0: not yet.

    Bounded by ``--min-hostgroup`` and ``--max-hostgroup`` as a single group is, whatever number of groups it is.
    """
    each = max(1, each)
    room = max(timing.min_hostgroup, min(timing.max_hostgroup, max(1, MOST_ITEMS // each)))
    if not any(group.active for group in running):
        return min(room, waiting)
    busy_items = sum(group.active * group.each for group in running)
    busy_hosts = sum(group.active for group in running)
    free = min(room - busy_items // each, timing.max_hostgroup - busy_hosts)
    kept = KEPT * max(MOST_ITEMS, room * each) - sum(group.items for group in running)
    size = min(free, kept // each, waiting)
    enough = min(waiting, max(1, room // 2, timing.min_hostgroup))
    if len(running) >= MOST_GROUPS or free < enough or size < min(waiting, max(1, room // LEAST_SHARE)):
        return 0
    return size


def has_room(running: Sequence[Running], timing: TimingPlan) -> bool:
    """Whether more hosts would soon find room: at least half of it is free."""
    items = sum(group.active * group.each for group in running)
    hosts = sum(group.active for group in running)
    return not hosts or (2 * items <= MOST_ITEMS and 2 * hosts <= timing.max_hostgroup and len(running) < MOST_GROUPS)


def meets(hi: U64, lo: U64, running: Sequence[Running]) -> bool:
    """Whether any of these addresses is being scanned already: answers to one scan would count for the other."""
    return any(bool((np.isin(lo, group.lo) & np.isin(hi, group.hi)).any()) for group in running)
