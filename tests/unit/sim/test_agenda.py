from __future__ import annotations

from leadline.sim.agenda import Agenda
from leadline.sim.clock import VirtualClock


def test_in_order_of_time_and_of_being_put_in() -> None:
    clock = VirtualClock(start=5.0)
    agenda = Agenda(clock)
    done: list[tuple[str, float]] = []
    for name, at in (("c", 3.0), ("a", 1.0), ("b", 1.0)):
        agenda.put(at, lambda moment, name=name: done.append((name, moment)))  # type: ignore[misc]
    while agenda.next_time() is not None:
        agenda.run_next()
    assert done == [("a", 1.0), ("b", 1.0), ("c", 3.0)]
    assert agenda.now() == clock.now() == 5.0


def test_an_action_may_put_in_another_and_all_can_be_forgotten() -> None:
    agenda = Agenda(VirtualClock())
    agenda.put(1.0, lambda at: agenda.put(at + 1.0, lambda _: None))
    agenda.run_next()
    assert agenda.next_time() == 2.0
    agenda.clear()
    assert agenda.next_time() is None
