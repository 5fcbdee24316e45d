from ipaddress import IPv4Address

import pytest

from leadline.errors import UsageError
from leadline.plan.ip_options import read_ip_options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("R", "01072704" + "00" * 36),
        ("T", "44280500" + "00" * 36),
        ("U", "44240501" + "00" * 32),
        (r"\x01\x07\x03", None),
        (r"\x01*4", "01010101"),
        (r"\1\1\1\0", "01010100"),
        (r"\x44\x4\5\x00", "44040500"),
        ("01010100", "01010100"),
        (r"\x01*40", "01" * 40),
        (r"\x01*44", None),
        (r"\x01*41", None),
        (r"\256\0\0\0", None),
        (r"\x01\x", None),
        ("r", None),
        ("RT", None),
        ("", None),
    ],
)
def test_bytes_and_letters(text: str, options: str | None) -> None:
    if options is None:
        with pytest.raises(UsageError, match="needs"):
            read_ip_options(text)
    else:
        assert read_ip_options(text) == (bytes.fromhex(options), None)


def test_source_routes() -> None:
    options, first = read_ip_options("L 10.0.0.1 10.0.0.2")
    assert (options.hex(), first) == ("01830f040a0000010a00000200000000", IPv4Address("10.0.0.1"))
    assert read_ip_options("S 10.0.0.1")[0].hex() == "01890b040a00000100000000"
    assert len(read_ip_options("L" + " 10.0.0.1" * 8)[0]) == 40


@pytest.mark.parametrize("text", ["L", "S 10.0.0", "L ::1", "S" + " 10.0.0.1" * 9, "L host"])
def test_source_routes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="needs"):
        read_ip_options(text)
