from __future__ import annotations

from pathlib import Path

import pytest

from leadline.data import service_probes
from leadline.data.service_probes import FOLDER, load_service_probes, udp_payloads
from leadline.errors import DataError
from leadline.model.port import Protocol


def test_our_own_rules_are_the_default() -> None:
    probes = load_service_probes()
    assert probes.probes[0].is_null
    assert probes.excluded.of(Protocol.TCP) == tuple(range(9100, 9108))
    assert probes == load_service_probes(FOLDER)
    assert {rule.source for probe in probes.probes for rule in probe.rules} <= {
        path.name for path in FOLDER.glob("*.probes")
    }


def test_shared_probes_have_the_names_that_users_know() -> None:
    probes = load_service_probes()
    for name in ("NULL", "GenericLines", "GetRequest", "HTTPOptions", "RTSPRequest", "Help", "TLSSessionReq"):
        assert probes.named(Protocol.TCP, name) is not None
    for name in ("DNSVersionBindReq", "DNSStatusRequest", "NTPRequest", "SNMPv1public", "SNMPv3GetRequest"):
        assert probes.named(Protocol.UDP, name) is not None
    get = probes.named(Protocol.TCP, "GetRequest")
    assert get is not None
    assert get.lists(80)
    assert get.lists(443, "ssl")
    assert not get.lists(9100)


def test_a_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "20-b.probes").write_bytes(b"Probe TCP B q|b|\nmatch b m|b|\n")
    (tmp_path / "10-a.probes").write_bytes(b"Probe TCP A q|a|\n")
    (tmp_path / "notes.txt").write_bytes(b"not rules\n")
    assert [probe.name for probe in load_service_probes(tmp_path).probes] == ["A", "B"]
    assert load_service_probes(str(tmp_path)) == load_service_probes(tmp_path)
    single = load_service_probes(tmp_path / "20-b.probes")
    assert single.probes[0].rules[0].place == f"{tmp_path}/20-b.probes:2"


def test_what_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"nothing: cannot be read: No such file"):
        load_service_probes(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"the folder has no file \*\.probes"):
        load_service_probes(tmp_path)
    (tmp_path / "large").write_bytes(b"#" * 2000)
    monkeypatch.setattr(service_probes, "LARGEST_FILE", 1000)
    with pytest.raises(DataError, match=r"is larger than"):
        load_service_probes(tmp_path / "large")


def test_payloads_for_udp_scans(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_bytes(
        b"Probe TCP A q|tcp|\nports 53\n"
        b"Probe UDP B q|b|\nports 53,60-61\n"
        b"Probe UDP C q|c| no-payload\nports 53\n"
        b"Probe UDP D q|d|\nports 53,7\n"
        b"Probe UDP E q||\nports 53\n"
        b"Probe UDP F q|b|\nports 53\n"
    )
    assert udp_payloads(load_service_probes(path)) == {7: (b"d",), 53: (b"b", b"d"), 60: (b"b",), 61: (b"b",)}


def test_our_own_payloads() -> None:
    payloads = udp_payloads(load_service_probes())
    assert len(payloads[53][0]) == 30
    assert payloads[123][0][0] == 0x23
    assert payloads[161]
