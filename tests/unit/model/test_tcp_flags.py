import pytest

from leadline.model.tcp_flags import ACK, ALL_FLAGS, CWR, ECE, FIN, FLAG_VALUES, PSH, RST, SYN, URG, flag_names


def test_bits_are_those_of_the_header() -> None:
    assert (CWR, ECE, URG, ACK, PSH, RST, SYN, FIN) == (128, 64, 32, 16, 8, 4, 2, 1)
    assert sum(FLAG_VALUES.values()) == ALL_FLAGS


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (SYN | FIN, "FINSYN"),
        (URG | PSH, "PSHURG"),
        (ALL_FLAGS, "FINSYNRSTPSHACKURGECECWR"),
        (0, "NONE"),
        (0x100, "NONE"),
    ],
)
def test_names_stand_in_the_order_of_the_bits(flags: int, names: str) -> None:
    assert flag_names(flags) == names
