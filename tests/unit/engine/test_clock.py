import time

from leadline.engine.clock import MonotonicClock


def test_both_times_are_the_systems() -> None:
    clock = MonotonicClock()
    before = time.monotonic()
    assert before <= clock.now() <= time.monotonic()
    before = time.time()
    assert before <= clock.epoch() <= time.time()
