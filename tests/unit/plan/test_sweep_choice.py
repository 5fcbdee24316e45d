"""Shards and bandwidths as typed."""

import pytest

from leadline.model.plan import WHOLE, Shard
from leadline.plan.build import build_plan
from leadline.plan.check import check
from leadline.plan.options import Options
from leadline.plan.sweep_choice import rate_of, read_shard


@pytest.mark.parametrize(
    ("text", "shard"),
    [(None, WHOLE), ("1/1", WHOLE), ("3/16", Shard(2, 16)), ("0/4", None), ("5/4", None), ("x", None), ("1/", None)],
)
def test_shards(text: str | None, shard: Shard | None) -> None:
    assert read_shard(text) == shard
    mistakes = check(Options(targets=("10.0.0.1",), shard=text))
    assert bool(mistakes) == (shard is None)
    if shard is not None:
        assert build_plan(Options(targets=("10.0.0.1",), shard=text), True).targets.shard == shard


def test_bandwidth_counts_whole_frames_on_the_wire() -> None:
    assert rate_of(Options(bandwidth=672e6)) == pytest.approx(1e6)
    assert rate_of(Options(bandwidth=672e6, max_rate=5e5)) == 5e5
    assert rate_of(Options(bandwidth=816e6, family=6)) == pytest.approx(1e6)
    assert rate_of(Options(bandwidth=2.4e6, techniques=("udp",))) == pytest.approx(1000)
    assert rate_of(Options()) is None
    assert check(Options(targets=("10.0.0.1",), bandwidth=0.0)) == [
        "--bandwidth needs a number of bits a second above 0, not 0."
    ]
