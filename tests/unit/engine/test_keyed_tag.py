"""Parts of a tag do not overlap where both travel in one packet, and errors are told by what they repeat."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.engine.keyed_tag import ip_id_of, number_of, quoted_ip_id, ttl_of
from leadline.engine.probe_kind import ProbeKind
from leadline.wire.columns import decode
from tests.support.codecs import build, codec_of
from tests.support.groups import batch_of, error_reply, group_of, packets

TAGS = np.array([0x01234567_89ABCDEF, 0xFFFFFFFF_FFFFFFFF, 0], dtype=np.uint64)


def test_a_sequence_number_is_the_upper_half_and_an_identification_the_lower_end() -> None:
    assert number_of(TAGS).tolist() == [0x01234567, 0xFFFFFFFF, 0]
    assert number_of(TAGS).dtype == np.uint32
    assert ip_id_of(TAGS).tolist() == [0xCDEF, 0xFFFF, 0]
    assert ip_id_of(TAGS).dtype == np.uint16


def test_times_to_live_are_those_of_nmap_and_say_nothing_of_the_identification() -> None:
    tags = np.arange(1 << 12, dtype=np.uint64) << np.uint64(16)
    assert set(ttl_of(tags).tolist()) == set(range(37, 60))
    assert ttl_of(tags | np.uint64(0xFFFF)).tolist() == ttl_of(tags).tolist()


@pytest.mark.parametrize(("told", "believed"), [(0x1234, True), (0x3412, True), (0x1235, False), (0, False)])
def test_an_identification_may_come_back_with_its_bytes_exchanged(told: int, believed: bool) -> None:
    probe = packets(build(codec_of(group_of(4)), ProbeKind.UDP, (0, 99, 0)))[0]
    probe["IP"].id = told
    frames = decode(batch_of([error_reply(probe)]))
    assert quoted_ip_id(np.array([0x1234], np.uint16), frames, np.array([0])).tolist() == [believed]
