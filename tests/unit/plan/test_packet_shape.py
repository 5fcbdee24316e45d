"""Options about packets: what they make of the plan, and what contradicts."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from leadline.errors import PrivilegeError
from leadline.model.plan import PacketShape, PingKind, Technique
from leadline.plan.build import build_plan
from leadline.plan.options import Options, PingRequest
from leadline.plan.packet_shape import check_shape, random_decoys, read_shape, shape_families, shape_notices

ONE = Options(targets=("192.0.2.1",))


def asked(**fields: Any) -> Options:
    return replace(ONE, **fields)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, PacketShape()),
        ({"fragments": ("f",)}, PacketShape(chunk=8)),
        ({"fragments": ("f", "f")}, PacketShape(chunk=16)),
        ({"mtu": 24}, PacketShape(chunk=24)),
        ({"decoys": ("10.0.0.1", "ME")}, PacketShape(decoys=("10.0.0.1", "ME"))),
        ({"source_address": "10.0.0.9"}, PacketShape(source=ip_address("10.0.0.9"))),
        ({"interface": "eth0"}, PacketShape(interface="eth0")),
        ({"source_port": 53}, PacketShape(source_port=53)),
        ({"data_hex": "0xDEAD"}, PacketShape(data=b"\xde\xad")),
        ({"data_hex": r"\xde\xAD"}, PacketShape(data=b"\xde\xad")),
        ({"data_string": "h\u00e9"}, PacketShape(data=b"h\xc3\xa9")),
        ({"data_string": ""}, PacketShape(data=b"")),
        ({"data_length": 9}, PacketShape(data_length=9)),
        ({"ip_options": r"\x01*4"}, PacketShape(ip_options=b"\1" * 4)),
        ({"ttl": 0}, PacketShape(ttl=0)),
        ({"spoof_mac": "0"}, PacketShape(mac=b"")),
        ({"spoof_mac": "00:11-22"}, PacketShape(mac=b"\x00\x11\x22")),
        ({"spoof_mac": "001122334455"}, PacketShape(mac=bytes.fromhex("001122334455"))),
        ({"badsum": True}, PacketShape(bad_checksum=True)),
        ({"send_layer": "ip"}, PacketShape(layer="ip")),
    ],
)
def test_what_is_asked_for(fields: dict[str, Any], shape: PacketShape) -> None:
    options = asked(**fields)
    assert list(check_shape(options)) == []
    assert read_shape(options) == shape
    assert build_plan(options, privileged=True).shape == shape


def test_a_maker_is_known_by_a_part_of_its_name() -> None:
    mac = read_shape(asked(spoof_mac="cisco systems")).mac
    assert mac == bytes.fromhex("00000c")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fragments": ("f",), "mtu": 16}, "use one of them"),
        ({"mtu": 0}, "multiple of 8"),
        ({"mtu": 12}, "multiple of 8"),
        ({"mtu": 65_536}, "multiple of 8"),
        ({"mtu": 8, "family": 6}, "--mtu is about IPv4 packets"),
        ({"fragments": ("f",), "family": 6}, "-f is about IPv4 packets"),
        ({"ip_options": "R", "family": 6}, "--ip-options is about IPv4 packets"),
        ({"ttl": 256}, "--ttl needs a number from 0 to 255"),
        ({"source_port": 65_536}, "-g needs a number from 0 to 65535"),
        ({"source_port": -1}, "-g needs"),
        ({"data_length": 65_436}, "--data-length needs a number from 0 to 65435"),
        ({"data_hex": "abc"}, "--data needs bytes"),
        ({"data_hex": "0x"}, "--data needs bytes"),
        ({"data_hex": "aa" * 65_436}, "--data can have at most"),
        ({"data_string": "a" * 65_436}, "--data-string can have at most"),
        ({"data_hex": "aa", "data_length": 3}, "--data and --data-length each choose"),
        ({"ip_options": "X"}, "--ip-options needs"),
        ({"source_address": "host"}, "-S needs an address"),
        ({"interface": ""}, "-e needs the name"),
        ({"spoof_mac": "zz?"}, "--spoof-mac needs 0, pairs"),
        ({"spoof_mac": "00112"}, "--spoof-mac needs 0, pairs"),
        ({"spoof_mac": "00112233445566"}, "at most 6 bytes"),
        ({"spoof_mac": "011122"}, "is a group's"),
        ({"spoof_mac": "0", "send_layer": "ip"}, "use one of them"),
        ({"send_layer": "pigeon"}, "not 'pigeon'"),
        ({"decoys": ("ME", "me")}, "once only"),
        ({"decoys": ("RND:0",)}, "no decoy at all"),
        ({"decoys": ("RND:200",)}, "at most 128 decoys, not 200"),
        ({"decoys": ("a b",)}, "-D needs addresses"),
        ({"decoys": ("10.0.0.1", "fd00::1")}, "different address families"),
        ({"decoys": ("RND",), "family": 6}, "-D and -6 are about different"),
        ({"source_address": "fd00::1", "ip_options": "R"}, "-S and --ip-options are about different"),
        ({"techniques": ("connect",), "badsum": True}, "--badsum shapes raw packets; -sT sends none"),
        ({"techniques": ("connect",), "ttl": 0}, "need at least 1"),
        ({"techniques": ("idle",), "decoys": ("RND",)}, "-sI has others send the probes"),
        ({"list_scan": True, "ttl": 9, "badsum": True}, "-sL sends nothing to its targets, so --ttl and --badsum"),
        ({"proxies": ("http://relay",), "interface": "eth0"}, "--proxies carries connections only: -e"),
    ],
)
def test_mistakes_are_one_sentence_each(fields: dict[str, Any], words: str) -> None:
    mistakes = list(check_shape(asked(**fields)))
    assert len(mistakes) == 1
    assert words in mistakes[0]
    assert mistakes[0].endswith(".")


def test_decoys_that_are_right() -> None:
    decoys = ("ME", "host.example", "RND:126", "rnd")
    assert list(check_shape(asked(decoys=decoys))) == []
    assert [random_decoys(text) for text in decoys] == [0, 0, 126, 1]


@pytest.mark.parametrize(
    ("fields", "families"),
    [
        ({}, {4, 6}),
        ({"family": 6}, {6}),
        ({"fragments": ("f",)}, {4}),
        ({"ip_options": "R"}, {4}),
        ({"decoys": ("RND",)}, {4}),
        ({"decoys": ("host", "fd00::1")}, {6}),
        ({"source_address": "10.0.0.1"}, {4}),
        ({"ttl": 9, "decoys": ("host", "ME")}, {4, 6}),
    ],
)
def test_families_that_can_be_scanned(fields: dict[str, Any], families: set[int]) -> None:
    assert shape_families(asked(**fields)) == families
    assert build_plan(asked(**fields), privileged=True).targets.families == families


def test_rights() -> None:
    for fields in ({"source_address": "10.0.0.1"}, {"interface": "lo"}, {"ttl": 3}, {"ip_options": "R"}):
        assert build_plan(asked(**fields), privileged=False).ports.techniques == (Technique.CONNECT,)
    with pytest.raises(PrivilegeError, match=r"-g needs the right.*--badsum needs the right"):
        build_plan(asked(source_port=53, badsum=True), privileged=False)


def test_pings_may_be_shaped() -> None:
    plan = build_plan(asked(ping_scan=True, badsum=True, pings=(PingRequest("icmp-echo"),)), privileged=True)
    assert plan.shape.bad_checksum
    assert plan.discovery.probes_v4[0].kind is PingKind.ICMP_ECHO


def test_notices() -> None:
    assert shape_notices(asked(ttl=3), (Technique.SYN,)) == []
    for fields, words in (
        ({"source_address": "10.0.0.1"}, "-e chooses"),
        ({"source_port": 0}, "port 0"),
        ({"data_length": 1500}, "do not fit"),
        ({"data_string": "x" * 1500}, "do not fit"),
    ):
        (notice,) = shape_notices(asked(**fields), (Technique.SYN,))
        assert words in notice
    (notice,) = shape_notices(asked(badsum=True), (Technique.UDP, Technique.CONNECT))
    assert notice == "The connections of -sT are the kernel's: --badsum does not shape them."
