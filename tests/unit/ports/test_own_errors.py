import pytest

from leadline.engine.probe_kind import ProbeKind
from leadline.engine.replies import Replies
from leadline.model.port import Reason
from leadline.ports.own_errors import OwnErrors
from leadline.wire.columns import decode
from tests.support.codecs import build, codec_of
from tests.support.groups import batch_of, error_reply, group_of, packets


def heard(*errors: tuple[int, int, int, bool]) -> OwnErrors:
    """(host, type, code, from the target)."""
    codec = codec_of(group_of(4))
    kept = OwnErrors(3)
    sent = packets(build(codec, ProbeKind.IP_PROTOCOL, *((host, 89, 0) for host, *_ in errors)))
    replies = [
        error_reply(probe, kind, code, None if own else "10.9.0.99")
        for probe, (_, kind, code, own) in zip(sent, errors, strict=True)
    ]
    frames = decode(batch_of(replies))
    matched = codec.match(frames)
    assert isinstance(matched, Replies)
    kept.take(frames, matched)
    return kept


def test_the_first_error_of_each_host_is_kept() -> None:
    kept = heard((0, 3, 2, True), (0, 3, 3, True), (2, 3, 13, True))
    first, last = kept.first(0), kept.first(2)
    assert first is not None
    assert last is not None
    assert (first.kind, first.code, first.reason, first.ttl, first.at) == (3, 2, Reason.PROTO_UNREACH, 60, 0.0)
    assert (last.code, last.reason) == (13, Reason.ADMIN_PROHIBITED)
    assert kept.first(1) is None


@pytest.mark.parametrize("error", [(0, 3, 2, False), (0, 3, 200, True)])
def test_errors_of_others_and_strange_ones_prove_nothing(error: tuple[int, int, int, bool]) -> None:
    assert heard(error).first(0) is None
