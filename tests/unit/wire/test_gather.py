import numpy as np
import pytest

from leadline.wire.gather import Group, Store, layout, select, uniform

PAIR = layout(4, first=(">u2", 0), last=("u1", 3))
FRAMES = np.arange(40, dtype=np.uint8).reshape(4, 10)
ENDS = np.array([10, 8, 4, 0], dtype=np.int32)
TYPES: dict[str, type[np.generic]] = {"kind": np.uint8, "port": np.uint16, "mac": np.uint8, "lo": np.uint64}


def test_records_at_one_place_are_read_without_a_copy() -> None:
    records = Group(FRAMES, None, 2, ENDS).records(PAIR)
    assert records["first"].tolist() == [0x0203, 0x0C0D, 0x1617, 0x2021]
    assert records["last"].tolist() == [5, 15, 25, 35]
    assert np.shares_memory(records, FRAMES)


def test_records_spread_over_a_large_ring_are_brought_together() -> None:
    ring = np.zeros((1024, 2048), dtype=np.uint8)
    ring[:, 7] = np.arange(1024) % 251
    records = Group(ring, None, 4, np.full(1024, 60, dtype=np.int32)).records(PAIR)
    assert records["last"].tolist() == [row % 251 for row in range(1024)]
    assert not np.shares_memory(records, ring)


def test_records_at_a_place_of_their_own() -> None:
    starts = np.array([0, 6, 3, 2], dtype=np.int32)
    assert Group(FRAMES, None, starts, ENDS).records(PAIR)["last"].tolist() == [3, 19, 26, 35]
    rows = np.array([3, 1])
    assert Group(FRAMES, rows, starts[:2], ENDS[:2]).records(PAIR)["last"].tolist() == [33, 19]
    assert Group(FRAMES, rows, 1, ENDS[:2]).records(PAIR)["last"].tolist() == [34, 14]


@pytest.mark.parametrize("start", [7, 10, 5000, np.array([7, 9, 11, 1 << 30], dtype=np.int32)])
def test_records_beyond_the_frame_do_not_fail_but_are_not_reached(start: object) -> None:
    group = Group(FRAMES, None, start, ENDS)  # type: ignore[arg-type]
    assert group.records(PAIR).shape == (4,)
    assert not group.reaches(4).any()


def test_which_rows_reach() -> None:
    group = Group(FRAMES, None, 4, ENDS)
    assert group.reaches(4).tolist() == [True, True, False, False]
    assert group.reaches(np.array([7, 4, 0, 0], dtype=np.int32)).tolist() == [False, True, True, False]


def test_selection_of_all_rows_is_the_group_itself() -> None:
    group = Group(FRAMES, None, 0, ENDS)
    same, index = select(group, np.ones(4, dtype=np.bool_))
    assert same is group
    assert index == slice(None)


def test_selections_of_selections_point_into_the_frames() -> None:
    group = Group(FRAMES, None, np.array([1, 2, 3, 4], dtype=np.int32), ENDS)
    first, index = select(group, np.array([False, True, True, True]))
    assert isinstance(index, np.ndarray)
    assert index.tolist() == [1, 2, 3]
    second, _ = select(first, np.array([True, False, True]))
    assert second.rows is not None
    assert second.rows.tolist() == [1, 3]
    assert np.asarray(second.start).tolist() == [2, 4]
    assert second.end.tolist() == [8, 0]
    assert len(second) == 2
    assert second.moved(5).start == 5


def test_uniform_places_become_one_integer() -> None:
    assert uniform(np.array([20, 20], dtype=np.int32)) == 20
    assert isinstance(uniform(np.array([20, 24], dtype=np.int32)), np.ndarray)


def test_the_store_fills_what_was_not_written_with_zeros() -> None:
    store = Store(3, TYPES)
    store.put(np.array([1]), port=np.array([80]), kind=7)
    columns = store.finished()
    assert columns["port"].tolist() == [0, 80, 0]
    assert columns["kind"].tolist() == [0, 7, 0]
    assert columns["lo"].tolist() == [0, 0, 0]
    assert columns["mac"].shape == (3, 6)
    assert {name: column.dtype.type for name, column in columns.items()} == TYPES


def test_the_store_takes_whole_columns_by_copy() -> None:
    store = Store(2, TYPES)
    ports = np.array([1, 2], dtype=np.uint16)
    store.put(None, port=ports, kind=5)
    store.put(np.array([0]), port=9)
    assert ports.tolist() == [1, 2]
    assert store.get("port", None).tolist() == [9, 2]
    assert store.get("port", np.array([1])).tolist() == [2]
    assert store.finished()["kind"].tolist() == [5, 5]


def test_cleared_rows_are_zero_in_all_columns() -> None:
    store = Store(2, TYPES)
    store.put(None, port=8, mac=np.full((2, 6), 3))
    store.clear(np.array([1]))
    columns = store.finished()
    assert columns["port"].tolist() == [8, 0]
    assert columns["mac"].tolist() == [[3] * 6, [0] * 6]


@pytest.mark.parametrize("name", ["port", "lo", "mac"])
def test_finished_columns_are_read_only(name: str) -> None:
    store = Store(2, TYPES)
    store.put(None, port=1)
    with pytest.raises(ValueError, match="read-only"):
        store.finished()[name][0] = 1
