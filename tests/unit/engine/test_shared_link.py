"""Several machines read one link: each frame reaches each of them once, and a failure all of them."""

from __future__ import annotations

import pytest

from leadline.engine.shared_link import MOST_KEPT, SharedLink
from leadline.errors import LinkError
from leadline.wire.batch import FrameBatch
from tests.support.groups import batch_of, packets, tcp_reply
from tests.support.machines import FakeClock, FakeLink, ports_machine


def pair() -> tuple[FakeClock, FakeLink, SharedLink]:
    clock = FakeClock()
    link = FakeLink(clock, lambda sent: batch_of([tcp_reply(one) for one in packets(sent)]))
    return clock, link, SharedLink(link)


def probes(clock: FakeClock, ports: range = range(1, 6)) -> FrameBatch:
    frames = ports_machine(hosts=1, ports=ports).poll(clock.now(), 100)
    assert frames is not None
    return frames


def test_every_machine_reads_every_frame_once() -> None:
    clock, _, shared = pair()
    first, second = shared.join(), shared.join()
    assert first.send(probes(clock)) == 5
    shared.wait(1.0)
    got = first.receive()
    assert len(got) == 5
    assert second.next_look(clock.now() + 9) == 0.0, "it must not sleep over what it has not read"
    copy = second.receive()
    assert [copy.row(index) for index in range(5)] == [got.row(index) for index in range(5)]
    assert copy.times.tolist() == got.times.tolist()
    assert not len(first.receive())
    assert not len(second.receive())
    assert (first.sent, first.received, second.sent, second.received) == (5, 5, 0, 5)


def test_who_has_left_is_not_thought_of() -> None:
    clock, _, shared = pair()
    first, second = shared.join(), shared.join()
    second.close()
    second.close()
    first.send(probes(clock))
    shared.wait(1.0)
    assert len(first.receive()) == 5
    assert not len(second.receive())
    assert first.next_look(clock.now() + 0.5) == pytest.approx(clock.now() + 0.5)


def test_a_machine_that_reads_nothing_does_not_fill_the_memory() -> None:
    clock, _, shared = pair()
    first, stuck = shared.join(), shared.join()
    for at in range(MOST_KEPT + 10):
        first.send(probes(clock, range(1 + at, 3 + at)))
        shared.wait(1.0)
        assert len(first.receive()) == 2
    kept = 0
    while len(stuck.receive()):
        kept += 1
    assert kept == MOST_KEPT


def test_alone_it_is_a_link_like_any_other() -> None:
    clock, link, shared = pair()
    assert shared.interface is link.interface
    assert shared.statistics is link.statistics
    shared.send(probes(clock))
    shared.wait(1.0)
    assert len(shared.receive()) == 5
    shared.close()
    assert link.closed


@pytest.mark.parametrize("call", ["send", "receive", "next_look"])
def test_a_failure_concerns_all_machines(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, link, shared = pair()
    first, second = shared.join(), shared.join()
    frames = probes(clock)

    def fail(*arguments: object) -> None:
        raise LinkError("eth0: the interface is gone")

    calls = {
        "send": lambda inbox: inbox.send(frames),
        "receive": lambda inbox: inbox.receive(),
        "next_look": lambda inbox: inbox.next_look(1.0),
    }
    monkeypatch.setattr(link, call, fail)
    with pytest.raises(LinkError, match="gone"):
        calls[call](first)
    monkeypatch.undo()
    for again in calls.values():
        with pytest.raises(LinkError, match="gone"):
            again(second)


def test_what_could_not_be_sent_is_told_once() -> None:
    _, link, shared = pair()
    assert shared.first_failures() == ""
    link.statistics.send_failures = 3
    assert shared.first_failures().startswith(f"3 packets could not be sent on {link.interface.name} so far")
    link.statistics.send_failures = 4
    assert shared.first_failures() == ""
