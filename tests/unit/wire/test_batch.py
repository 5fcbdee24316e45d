import numpy as np
import pytest

from leadline.wire.batch import FrameBatch, concatenate, empty, single


def test_a_single_frame() -> None:
    batch = single(b"frame", 14, 2.5)
    assert len(batch) == 1
    assert batch.row(0) == b"frame"
    assert (batch.times.tolist(), batch.offset) == ([2.5], 14)
    assert (batch.frames.dtype, batch.lengths.dtype, batch.times.dtype) == (np.uint8, np.int32, np.float64)
    batch.frames[0, 0] = 0  # a copy that may be written to


def test_rows_leave_padding_out_and_bear_absurd_lengths() -> None:
    batch = FrameBatch(np.full((3, 4), 65, np.uint8), np.array([2, -7, 99], np.int32), np.zeros(3), 0)
    assert [batch.row(index) for index in range(3)] == [b"AA", b"", b"AAAA"]


def test_an_empty_batch() -> None:
    assert len(empty(14)) == 0
    assert empty(14).offset == 14


def test_batches_put_together_keep_order_and_are_padded() -> None:
    batch = concatenate([single(b"long frame", 0, 1.0), empty(14), single(b"b", 0, 2.0)])
    assert [batch.row(index) for index in range(2)] == [b"long frame", b"b"]
    assert batch.frames[1].tobytes() == b"b" + bytes(9)
    assert batch.times.tolist() == [1.0, 2.0]
    assert batch.offset == 0


def test_only_empty_batches_put_together() -> None:
    batch = concatenate([empty(14), empty(14)])
    assert (len(batch), batch.offset) == (0, 14)


def test_batches_of_different_links_do_not_mix() -> None:
    with pytest.raises(ValueError, match="link headers"):
        concatenate([single(b"a", 0), single(b"b", 14)])
    with pytest.raises(ValueError, match="no batches"):
        concatenate([])


def test_some_of_the_frames() -> None:
    whole = concatenate([single(bytes([number]) * 4, 0, float(number)) for number in range(4)])
    wanted = [whole.pick(slice(1, 3)), whole.pick(np.array([1, 2])), whole.pick(np.array([False, True, True, False]))]
    for some in wanted:
        assert [some.row(index) for index in range(len(some))] == [bytes([1]) * 4, bytes([2]) * 4]
        assert some.times.tolist() == [1.0, 2.0]
        assert some.offset == 0
    assert np.shares_memory(wanted[0].frames, whole.frames)
