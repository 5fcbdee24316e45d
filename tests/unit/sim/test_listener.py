from __future__ import annotations

from leadline.sim.listener import Listener, Turn
from leadline.sim.world import SimService


class Waiting:
    """A client that notes when it is served."""

    def __init__(self) -> None:
        self.served_at: float | None = None

    def serve(self, at: float) -> None:
        self.served_at = at


def test_without_limits_everybody_is_served() -> None:
    for service in (None, SimService(1)):
        listener = Listener(service)
        assert [listener.arrive(Waiting()) for _ in range(50)] == [Turn.SERVED] * 50
        assert all(listener.accepts() for _ in range(50))


def test_one_at_a_time_in_order_of_arrival() -> None:
    listener = Listener(SimService(1, workers=1))
    first, second, third = clients = [Waiting(), Waiting(), Waiting()]
    assert [listener.arrive(client) for client in clients] == [Turn.SERVED, Turn.WAITS, Turn.WAITS]
    listener.leave(second, 1.0)
    listener.leave(first, 2.0)
    listener.leave(first, 3.0)
    assert (second.served_at, third.served_at) == (None, 2.0)
    listener.leave(third, 4.0)
    assert listener.arrive(Waiting()) is Turn.SERVED


def test_too_many_at_once() -> None:
    listener = Listener(SimService(1, most_open=2, workers=1))
    first = Waiting()
    turns = [listener.arrive(client) for client in (first, Waiting(), Waiting())]
    assert turns == [Turn.SERVED, Turn.WAITS, Turn.TOO_MANY]
    listener.leave(first, 1.0)
    assert listener.arrive(Waiting()) is Turn.WAITS


def test_accepts_so_many_in_all() -> None:
    listener = Listener(SimService(1, accepts=3))
    assert [listener.accepts() for _ in range(5)] == [True] * 3 + [False] * 2
