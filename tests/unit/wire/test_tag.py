import numpy as np
import pytest

from leadline.wire.tag import Tagger

KEY = bytes(range(16))
COUNT = 4096
LO = np.arange(COUNT, dtype=np.uint64) + np.uint64(0x0A000000)
SALT = np.full(COUNT, 80, dtype=np.uint64)


def flipped_share(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each bit of the tag: in what share of the rows it differs."""
    difference = one ^ other
    bits = difference.dtype.itemsize * 8
    return np.array([((difference >> difference.dtype.type(bit)) & 1).mean() for bit in range(bits)])


def test_shapes_and_types() -> None:
    tagger = Tagger(KEY)
    assert tagger.tag32(0, LO, SALT).dtype == np.uint32
    assert tagger.tag32(0, LO, SALT).shape == (COUNT,)
    assert tagger.tag64(1, 2, 3).shape == (1,)


def test_scalars_and_columns_agree() -> None:
    tagger = Tagger(KEY)
    column = tagger.tag32(np.full(COUNT, 7, np.uint64), LO, SALT)
    assert np.array_equal(column, tagger.tag32(7, LO, 80))
    assert column[5] == tagger.tag32(7, int(LO[5]), 80)[0]


def test_the_same_inputs_give_the_same_tags_and_the_parts_come_from_the_whole() -> None:
    whole = Tagger(KEY).tag64(0, LO, SALT)
    assert np.array_equal(Tagger(KEY).tag32(0, LO, SALT), (whole >> np.uint64(32)).astype(np.uint32))


@pytest.mark.parametrize("bit", [*range(0, 128, 7), 127])
def test_each_bit_of_the_key_changes_half_the_tag(bit: int) -> None:
    other = (int.from_bytes(KEY, "little") ^ (1 << bit)).to_bytes(16, "little")
    share = flipped_share(Tagger(KEY).tag64(0, LO, SALT), Tagger(other).tag64(0, LO, SALT))
    # Binomial with 4096 trials: the standard deviation of the share is 0.0078.
    assert np.abs(share - 0.5).max() < 0.05


@pytest.mark.parametrize("bit", range(0, 64, 3))
def test_each_bit_of_the_inputs_changes_half_the_tag(bit: int) -> None:
    tagger, mask = Tagger(KEY), np.uint64(1 << bit)
    hi = LO * np.uint64(3)
    base = tagger.tag64(hi, LO, SALT)
    for changed in (tagger.tag64(hi ^ mask, LO, SALT), tagger.tag64(hi, LO ^ mask, SALT)):
        assert np.abs(flipped_share(base, changed) - 0.5).max() < 0.05
    assert np.abs(flipped_share(base, tagger.tag64(hi, LO, SALT ^ mask)) - 0.5).max() < 0.05


def test_tags_of_neighboring_addresses_and_ports_are_spread_evenly() -> None:
    ports = np.arange(1 << 16, dtype=np.uint64)
    # The lower half is what identifiers of ICMP and IP are made of.
    tags = Tagger(KEY).tag64(0, 0x0A000001, ports) & np.uint64(0xFFFF)
    counts = np.bincount(tags >> np.uint64(8), minlength=256)
    # Chi-square with 255 degrees of freedom: mean 255, standard deviation 22.6.
    assert ((counts - 256) ** 2 / 256).sum() < 255 + 6 * 22.6
    assert len(np.unique(Tagger(KEY).tag32(0, LO, SALT))) >= COUNT - 1


def test_the_key_has_sixteen_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tagger(bytes(15))
