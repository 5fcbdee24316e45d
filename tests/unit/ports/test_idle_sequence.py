from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.ports.idle_sequence import Counter, Sample, noise_of, recognise


def samples(*numbers: int) -> list[Sample]:
    return [Sample(asked, 10.0 + 0.03 * asked, number) for asked, number in enumerate(numbers)]


@pytest.mark.parametrize(
    ("numbers", "counter"),
    [
        ((5, 6, 7, 8, 9, 10), Counter(16)),
        ((65534, 65535, 0, 1, 2, 3), Counter(16)),
        # Somebody else was sent something as well.
        ((5, 6, 9, 10, 40, 41), Counter(16)),
        ((0x0500, 0x0600, 0x0700, 0x0800), Counter(16, swapped=True)),
        ((0xFE01, 0xFF01, 0x0002, 0x0102), Counter(16, swapped=True)),
        ((4, 6, 8, 10), Counter(16, step=2)),
        ((4, 6, 8, 12), Counter(16, step=2)),
    ],
)
def test_counters(numbers: tuple[int, ...], counter: Counter) -> None:
    assert recognise(samples(*numbers), 16) == counter


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0, 0, 0, 0, 0, 0), "always 0"),
        ((7, 7, 7, 7, 7, 7), "always 7"),
        ((9000, 100, 42000, 3, 51000, 20000), "random"),
        ((5, 6, 7), "only 3"),
        ((), "only 0"),
    ],
)
def test_no_counter(numbers: tuple[int, ...], words: str) -> None:
    reason = recognise(samples(*numbers), 16)
    assert isinstance(reason, str)
    assert words in reason


def test_of_ipv6() -> None:
    assert recognise(samples(2**32 - 2, 2**32 - 1, 0, 1), 32) == Counter(32)
    assert "fragment headers" in str(recognise(samples(0, 0, 0, 0), 32))


@given(st.lists(st.integers(0, 65535), max_size=8))
def test_any_numbers_are_judged(numbers: list[int]) -> None:
    assert isinstance(recognise(samples(*numbers), 16), Counter | str)


@given(st.sampled_from([Counter(16), Counter(16, 2), Counter(16, swapped=True), Counter(32)]), st.integers(0, 500))
def test_packets_between(counter: Counter, count: int) -> None:
    def shown(value: int) -> int:
        return int.from_bytes((value & 0xFFFF).to_bytes(2, "little"), "big") if counter.swapped else value

    assert counter.packets(shown(60_000), shown(60_000 + count * counter.step)) == count


def test_labels() -> None:
    made = [Counter(16), Counter(16, 2), Counter(16, swapped=True)]
    assert [counter.label for counter in made] == ["incremental", "by two", "little-endian"]


def test_noise_is_what_no_question_explains() -> None:
    assert noise_of(Counter(16), samples(5, 6, 7)) == 0
    # The answer to one question was lost.
    assert noise_of(Counter(16), [Sample(0, 0.0, 5), Sample(2, 0.5, 7)]) == 0
    assert noise_of(Counter(16), [Sample(0, 0.0, 5), Sample(1, 0.5, 11)]) == 10.0
    assert noise_of(Counter(16), samples(5)) == 0
