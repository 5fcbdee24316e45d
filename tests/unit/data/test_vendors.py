from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.data.vendors import TABLE, prefix_of, vendor_of


@pytest.mark.parametrize(
    ("mac", "vendor"),
    [
        ("00:00:0C:12:34:56", "Cisco Systems, Inc"),
        ("00-00-0c-12-34-56", "Cisco Systems, Inc"),
        ("00000c123456", "Cisco Systems, Inc"),
        ("B8:27:EB:00:00:00", "Raspberry Pi Foundation"),
        ("00:50:56:00:00:00", "VMware, Inc."),
        ("52:54:00:00:00:00", "QEMU virtual machine"),
        ("FF:FF:FF:FF:FF:FF", ""),
        ("02:42:AC:11:00:02", ""),
        ("", ""),
        ("00:00:0C", ""),
        ("00:00-0C:12:34:56", ""),
        ("00:00:0C:12:34:5G", ""),
        ("00:00:0C:12:34:56:78", ""),
    ],
)
def test_vendors(mac: str, vendor: str) -> None:
    assert vendor_of(mac) == vendor


def test_every_line_of_the_table_is_found() -> None:
    lines = [line for line in Path(TABLE).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) > 10_000
    seen: set[str] = set()
    for line in lines:
        name, *prefixes = line.split(":")
        assert name.strip()
        assert name.isprintable()
        assert prefixes
        for prefix in prefixes:
            assert len(prefix) == 6
            assert int(prefix, 16) < 1 << 24
            assert prefix == prefix.upper()
        assert seen.isdisjoint(prefixes)
        seen.update(prefixes)
    for line in lines[:: len(lines) // 50]:
        name, *prefixes = line.split(":")
        assert vendor_of(prefixes[-1] + "000000") == name


@given(st.text(max_size=20) | st.from_regex(r"([0-9A-F]{2}:){5}[0-9A-F]{2}", fullmatch=True))
def test_any_text_has_a_vendor_or_none(mac: str) -> None:
    assert vendor_of(mac).isprintable()


def test_prefixes_by_a_part_of_the_name() -> None:
    assert prefix_of("cIsCo sYstems") == (b"\x00\x00\x0c", "Cisco Systems, Inc")
    assert prefix_of("no maker of this name") == (b"", "")
    assert prefix_of("") == (b"", "")
