import numpy as np
import pytest

from leadline.wire.batch import concatenate, single
from leadline.wire.gather import Group
from leadline.wire.header_columns import walk_extensions

BODY = b"transport"


def walk(*chains: tuple[int, bytes]) -> tuple[list[int], list[int], list[bool]]:
    """Protocol, place and validity behind chains that begin at the start of each row."""
    batch = concatenate([single(data, 0) for _, data in chains])
    protocols = np.array([first for first, _ in chains], dtype=np.uint8)
    protocol, group, good = walk_extensions(Group(batch.frames, None, 0, batch.lengths), protocols)
    starts = np.broadcast_to(np.asarray(group.start), len(group))
    return protocol.tolist(), starts.tolist(), good.tolist()


def test_without_extension_headers_nothing_moves() -> None:
    assert walk((6, BODY), (58, BODY)) == ([6, 58], [0, 0], [True, True])


def test_each_row_moves_by_its_own_chain() -> None:
    hop_by_hop = bytes([6, 0]) + bytes(6)
    two = bytes([44, 1]) + bytes(14) + bytes([17, 0, 0, 1, 0, 0, 0, 9])
    authentication = bytes([58, 4]) + bytes(22)
    assert walk((0, hop_by_hop + BODY), (60, two + BODY), (51, authentication + BODY), (6, BODY)) == (
        [6, 17, 58, 6],
        [8, 24, 24, 0],
        [True] * 4,
    )


def test_the_length_byte_of_a_fragment_header_is_reserved() -> None:
    assert walk((44, bytes([6, 255, 0, 0]) + bytes(4) + BODY)) == ([6], [8], [True])


@pytest.mark.parametrize(
    ("first", "data"),
    [
        (44, bytes([6, 0, 0, 8]) + bytes(4) + BODY),  # a later fragment
        (60, bytes([6, 1]) + bytes(6)),  # cut off
        (0, b""),
        (60, bytes([60, 0, 0, 0, 0, 0, 0, 0]) * 9 + BODY),  # longer than any honest chain
    ],
)
def test_chains_that_lead_nowhere(first: int, data: bytes) -> None:
    _, _, good = walk((first, data), (6, BODY))
    assert good == [False, True]


def test_eight_headers_are_walked() -> None:
    chain = bytes([60, 0, 0, 0, 0, 0, 0, 0]) * 7 + bytes([6]) + bytes(7)
    assert walk((60, chain + BODY)) == ([6], [64], [True])


def test_the_callers_columns_are_not_written_to() -> None:
    protocols = np.array([0], dtype=np.uint8)
    frame = single(bytes([6, 0]) + bytes(6), 0)
    walk_extensions(Group(frame.frames, None, 0, frame.lengths), protocols)
    assert protocols.tolist() == [0]
