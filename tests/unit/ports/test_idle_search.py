"""The search for open ports by counts, with an oracle that counts, loses and adds as it is told to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from leadline.ports.idle_search import LEAST_SIZE, MOST_SIZE, Chances, Group, IdleSearch

SECONDS = 0.1


def search(ports: Iterable[int] = range(1000), **more: int | None) -> IdleSearch:
    chances = Chances()
    chances.asked = 8
    return IdleSearch(ports, chances, **{"max_retries": 10} | more)  # type: ignore[arg-type]


def run(one: IdleSearch, is_open: set[int], loss: float = 0.0, noise: float = 0.0, seed: int = 1) -> int:
    """Make tests until all is decided; how many it took."""
    random = np.random.default_rng(seed)
    tests = 0
    while (group := one.next_group()) is not None:
        assert len(set(group.ports)) == len(group.ports)
        tests += 1
        assert tests < 20_000
        count = sum(port in is_open and random.random() >= loss for port in group.ports)
        one.chances.asked += 2
        one.chances.lost += int(random.binomial(2, 1 - (1 - loss) ** (2 / 3)))
        if noise:
            one.chances.watch(float(random.poisson(noise * SECONDS)), SECONDS)
        one.told(group, count + int(random.poisson(noise * SECONDS)), SECONDS, 1.0)
    assert one.done
    assert one.decided == len(one.standings)
    return tests


def found(one: IdleSearch) -> set[int]:
    return {port for port, standing in one.standings.items() if standing.open}


@pytest.mark.parametrize("is_open", [set(), {0}, {999}, {1, 2, 3, 500}, set(range(0, 1000, 50)), set(range(400, 440))])
def test_finds_what_is_open(is_open: set[int]) -> None:
    one = search()
    tests = run(one, is_open)
    assert found(one) == is_open
    # A group of n with one open port is halved log2(n) times.
    assert tests < 40 + 20 * len(is_open)


def test_all_open() -> None:
    one = search(range(64))
    assert run(one, set(range(64))) < 12
    assert len(found(one)) == 64


def test_no_port_is_open_by_one_test() -> None:
    one = search([7])
    group = one.next_group()
    assert group is not None
    one.told(group, 1, SECONDS, 1.0)
    assert one.standings[7].open is None


@pytest.mark.parametrize("seed", range(5))
def test_loss_costs_time_only(seed: int) -> None:
    one, is_open = search(), {3, 77, 333, 334, 999}
    run(one, is_open, loss=0.15, seed=seed)
    assert found(one) == is_open


@pytest.mark.parametrize("seed", range(5))
def test_noise_costs_time_only(seed: int) -> None:
    one, is_open = search(), {3, 77, 333, 334, 999}
    run(one, is_open, noise=2.0, seed=seed)
    assert found(one) == is_open


def test_retries_are_bounded() -> None:
    one = search(range(10), max_retries=0)
    one.chances.lost = 8
    assert run(one, set(), loss=0.0) == 1
    assert found(one) == set()


def test_late_answers_bring_silent_ports_back() -> None:
    one = search(range(60))
    first = one.next_group()
    assert first is not None
    assert 5 in first.ports
    for _ in range(2):
        one.told(first, 0, SECONDS, 1.0)
    assert one.standings[5].open is False
    # The answer of port 5 came late, and is counted with the others; none of those counts again.
    second = one.next_group()
    assert second is not None
    one.told(second, 1, SECONDS, 1.0)
    for _ in range(2):
        half = one.next_group()
        assert half is not None
        one.told(half, 0, SECONDS, 1.0)
    assert one.standings[5].open is None
    run(one, {5})
    assert found(one) == {5}


def test_absurd_counts_end() -> None:
    one = search(range(20))
    for _ in range(5000):
        group = one.next_group()
        if group is None:
            break
        one.told(group, 900, SECONDS, 1.0)
    assert one.done


def test_a_counter_that_says_different_things_ends() -> None:
    random = np.random.default_rng(3)
    one = search(range(100))
    for _ in range(20_000):
        group = one.next_group()
        if group is None:
            break
        one.told(group, int(random.integers(0, len(group.ports) + 2)), SECONDS, 1.0)
    assert one.done


def test_sizes_follow_success() -> None:
    one = search(range(3000))
    run(one, set())
    assert one.size == MOST_SIZE
    for _ in range(20):
        one.lost(Group((1,)))
    assert one.size == LEAST_SIZE
    fixed = search(range(100), fixed_size=3)
    group = fixed.next_group()
    assert group is not None
    assert len(group.ports) == 3
    fixed.lost(group)
    assert fixed.next_group() is group


def test_noise_fades() -> None:
    chances = Chances()
    assert chances.noise < 0.2
    chances.watch(20.0, 1.0)
    before = chances.noise
    chances.watch(0.0, 60.0)
    assert chances.noise < before / 50
