"""SCTP probes as scapy reads them, what hosts answer to them by RFC 9260, and which of it is believed."""

from __future__ import annotations

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import (
    SCTP,
    SCTPChunkAbort,
    SCTPChunkCookieAck,
    SCTPChunkCookieEcho,
    SCTPChunkInit,
    SCTPChunkInitAck,
)
from scapy.packet import Packet, Raw

from leadline.engine.codec import ProbeCodec
from leadline.engine.fixed_port import FixedPortCodec
from leadline.engine.identity import PING_SLOT
from leadline.engine.probe_kind import ProbeKind
from leadline.engine.sctp_mark import SctpMark
from leadline.wire.columns import decode
from leadline.wire.sctp import SctpView
from tests.support.groups import MAC, PEER, batch_of, group_of, packets

INIT, COOKIE = ProbeKind.SCTP_INIT, ProbeKind.SCTP_COOKIE
PORT = 40_000
PROBES = ((0, 80, 3), (2, 2905, PING_SLOT))


def codec_of(family: int = 4, *, adler: bool = False) -> ProbeCodec:
    return ProbeCodec(group_of(family), bytes(range(16)), PORT, adler=adler)


def sent_by(codec: ProbeCodec, kind: ProbeKind) -> list[Packet]:
    hosts, ports, slots = np.array(PROBES, dtype=np.int64).T
    return packets(codec.build(np.full(len(PROBES), int(kind), dtype=np.uint8), hosts, ports, slots))


def back(probe: Packet, chunk: Packet, tag: int, **changes: int) -> Packet:
    ports = {"sport": probe[SCTP].dport, "dport": probe[SCTP].sport} | changes
    upper = SCTP(tag=tag, **ports) / chunk
    if IPv6 in probe:
        return Ether(src=PEER, dst=MAC) / IPv6(src=probe[IPv6].dst, dst=probe[IPv6].src) / upper
    return Ether(src=PEER, dst=MAC) / IP(src=probe[IP].dst, dst=probe[IP].src) / upper


def error(probe: Packet, length: int, code: int = 13) -> Packet:
    """Quotes so many bytes behind the IP header."""
    if IPv6 in probe:
        upper = ICMPv6DestUnreach(code=1) / Raw(bytes(probe[IPv6])[: 40 + length])
        return Ether(src=PEER, dst=MAC) / IPv6(src="fd09::99", dst=probe[IPv6].src) / upper
    upper = ICMP(type=3, code=code) / Raw(bytes(probe[IP])[: 20 + length])
    return Ether(src=PEER, dst=MAC) / IP(src=probe[IP].dst, dst=probe[IP].src) / upper


def match(codec: ProbeCodec, *replies: Packet) -> list[tuple[int, int, int, int, bool, bool]]:
    found = codec.match(decode(batch_of(list(replies))))
    columns = (found.hosts, found.kinds, found.ports, found.slots, found.error, found.from_target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("family", [4, 6])
def test_probes(family: int) -> None:
    codec = codec_of(family)
    for kind, chunk in ((INIT, SCTPChunkInit), (COOKIE, SCTPChunkCookieEcho)):
        probes = sent_by(codec, kind)
        assert [(one[SCTP].sport - PORT, one[SCTP].dport) for one in probes] == [(3, 80), (PING_SLOT, 2905)]
        assert all(chunk in one for one in probes)
        tags = [one[SCTP].tag for one in probes]
        assert (tags == [0, 0]) if kind is INIT else (0 not in tags and len(set(tags)) == 2)
        assert all(SctpView(one[SCTP].original).checksum_holds() for one in probes)
    assert len({one[SCTPChunkInit].init_tag for one in sent_by(codec, INIT)} | {0}) == 3


def test_old_checksums() -> None:
    for kind in (INIT, COOKIE):
        assert all(SctpView(one[SCTP].original).checksum_holds(True) for one in sent_by(codec_of(adler=True), kind))


@pytest.mark.parametrize("family", [4, 6])
def test_answers_repeat_the_tag(family: int) -> None:
    codec = codec_of(family)
    begun, echoed = sent_by(codec, INIT), sent_by(codec, COOKIE)
    tags = [one[SCTPChunkInit].init_tag for one in begun]
    wanted = [(0, 80, 3), (2, 2905, PING_SLOT)]
    for chunk in (SCTPChunkInitAck(init_tag=9), SCTPChunkAbort()):
        found = match(codec, *(back(one, chunk, tag) for one, tag in zip(begun, tags, strict=True)))
        assert found == [(host, INIT, port, slot, False, True) for host, port, slot in wanted]
    found = match(codec, *(back(one, SCTPChunkAbort(TCB=1), one[SCTP].tag) for one in echoed))
    assert found == [(host, COOKIE, port, slot, False, True) for host, port, slot in wanted]


def test_what_does_not_answer_is_not_believed() -> None:
    codec = codec_of()
    begun, echoed = sent_by(codec, INIT)[0], sent_by(codec, COOKIE)[0]
    tag, other = begun[SCTPChunkInit].init_tag, echoed[SCTP].tag
    assert match(codec, back(begun, SCTPChunkInitAck(), tag))
    for reply in (
        back(begun, SCTPChunkInitAck(), tag ^ 1),
        back(begun, SCTPChunkAbort(TCB=1), 0),
        back(begun, SCTPChunkInitAck(), tag, dport=PORT + 4),
        back(begun, SCTPChunkInitAck(), tag, dport=PORT + 40),
        back(begun, SCTPChunkInitAck(), tag, sport=81),
        back(begun, SCTPChunkCookieAck(), tag),
        back(echoed, SCTPChunkInitAck(), other),
        back(echoed, SCTPChunkCookieAck(), other),
        back(echoed, SCTPChunkAbort(), tag ^ 1),
    ):
        assert match(codec, reply) == []


def test_our_own_probes_seen_on_loopback_are_no_answers() -> None:
    codec = codec_of()
    for kind in (INIT, COOKIE):
        for probe in sent_by(codec, kind):
            mirrored = probe.copy()
            mirrored[IP].src, mirrored[IP].dst = probe[IP].dst, probe[IP].src
            mirrored[SCTP].sport, mirrored[SCTP].dport = probe[SCTP].dport, probe[SCTP].sport
            assert match(codec, probe, mirrored) == []


@pytest.mark.parametrize(("kind", "length"), [(INIT, 8), (INIT, 20), (INIT, 32), (COOKIE, 8), (COOKIE, 20)])
def test_errors_name_their_probe(kind: ProbeKind, length: int) -> None:
    codec = codec_of()
    found = match(codec, *(error(one, length) for one in sent_by(codec, kind)))
    assert found == [(0, kind, 80, 3, True, True), (2, kind, 2905, PING_SLOT, True, True)]


def test_errors_over_ipv6_quote_enough() -> None:
    codec = codec_of(6)
    for kind in (INIT, COOKIE):
        assert match(codec, error(sent_by(codec, kind)[0], 32)) == [(0, kind, 80, 3, True, False)]
    assert match(codec, error(sent_by(codec, INIT)[0], 12)) == []


def test_errors_about_other_packets_are_not_ours() -> None:
    codec = codec_of()
    begun, echoed = sent_by(codec, INIT)[0], sent_by(codec, COOKIE)[0]
    for change in ({"tag": 5}, {"sport": PORT + 4}, {"dport": 81}):
        for probe in (begun, echoed):
            false = Ether(bytes(probe))
            for name, value in change.items():
                setattr(false[SCTP], name, value)
            assert match(codec, error(false, 20)) == []
    false = Ether(bytes(begun))
    false[SCTPChunkInit].init_tag ^= 1
    assert match(codec, error(false, 20)) == []
    false[IP].id ^= 1
    assert match(codec, error(false, 8)) == []


def test_no_tag_is_zero() -> None:
    zero = np.zeros(1, dtype=np.uint64)
    assert SctpMark(INIT).numbers(zero)[1].tolist() == [1]
    verification, *_ = SctpMark(COOKIE).numbers(zero)
    assert isinstance(verification, np.ndarray)
    assert verification.tolist() == [1]


@pytest.mark.parametrize("kind", [INIT, COOKIE])
def test_probes_from_one_port_tell_their_tries_by_the_tag(kind: ProbeKind) -> None:
    codec = FixedPortCodec(group_of(), bytes(range(16)), PORT, fixed_port=2905)
    sent = sent_by(codec, kind)
    for probe in sent:
        probe[SCTP].sport = 2905
    tags = [one[SCTPChunkInit].init_tag if kind is INIT else one[SCTP].tag for one in sent]
    answers = [back(one, SCTPChunkAbort(), tag) for one, tag in zip(sent, tags, strict=True)]
    wanted = [(0, kind, 80, 3), (2, kind, 2905, PING_SLOT)]
    assert match(codec, *answers) == [(*one, False, True) for one in wanted]
    assert match(codec, *(error(one, 20) for one in sent)) == [(*one, True, True) for one in wanted]
