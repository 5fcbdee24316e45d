"""Default options against loss, jitter and duplication: every open port found, nothing said that is not so."""

from __future__ import annotations

import pytest

from leadline.sim.faults import LinkFaults
from tests.support.accuracy import OPEN_PORTS, Shape, scan_lossy, shape_of
from tests.support.sim_scan import told_ports

# Every shape once, then SYN scans of silent and of mixed hosts again: there silence has to be told from loss.
SEEDS = [*range(32), 33, 35, 41, 49, 51, 57]


def test_the_seeds_cover_every_shape() -> None:
    assert len({shape_of(seed) for seed in SEEDS}) == 32


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed}-{shape_of(seed)}".replace(" ", "-"))
def test_every_open_port_is_found_and_no_other(seed: int) -> None:
    scan, result = scan_lossy(seed)
    assert result.up
    assert (result.found, result.missed, result.false) == (OPEN_PORTS, (), ())
    assert result.wrong == ()
    (host,) = scan.hosts.values()
    assert len(told_ports(host)) == 1000
    assert len(set(told_ports(host))) == 1000


@pytest.mark.parametrize("others", ["closed", "filtered"])
def test_nothing_is_sent_twice_on_a_path_that_loses_nothing(others: str) -> None:
    clean = LinkFaults(latency=0.005, jitter=0.003, duplication=0.02)
    scan, result = scan_lossy(5, Shape(others, raw=True, family=4, on_link=False), clean)
    assert result.found == OPEN_PORTS
    # A silent port is asked a second time; timing pings prove that nothing was lost.
    assert result.packets < (1100 if others == "closed" else 2200)
    assert scan.network.tally.damaged == 0


def test_the_same_seed_gives_the_same_scan() -> None:
    first, second = (scan_lossy(1)[0].events for _ in range(2))
    assert first == second


def test_another_seed_gives_another_order() -> None:
    shape = Shape("closed", raw=True, family=4, on_link=False)
    first, second = (scan_lossy(seed, shape)[0].seconds for seed in (1, 2))
    assert first != second
