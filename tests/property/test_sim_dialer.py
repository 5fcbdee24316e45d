"""Whatever services say and clients do: the simulated dialer raises nothing and keeps the promises of ``Dialer``."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.net.base import MOST_AT_ONCE, DialEvent, Ended, Opened, Received
from leadline.sim.faults import LinkFaults
from leadline.sim.speech import Pour, Reply, SimTls, Then, TlsFault
from leadline.sim.world import SimService
from tests.support.sim_dialogue import Talk

TOKENS = (1, 2, 3)
PORTS = (1, 2, 53)


class Long(bytes):
    """Too long to be shown."""

    def __repr__(self) -> str:
        return f"{self[:1]!r} * {len(self)}"


MUCH = Long(b"y" * 70_000)
words = st.sampled_from((b"", b"x", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x05\x01", MUCH))
seconds = st.sampled_from((0.0, 0.003, 0.7))
thens = st.sampled_from(Then)
pours = st.none() | st.builds(
    Pour, st.sampled_from((b"z", MUCH)), st.sampled_from((0.0, 0.05)), st.sampled_from((0, 5, 200_000))
)
replies = st.builds(Reply, st.sampled_from((b"", b"x", b"GET")), words, thens, seconds, st.just(False), pours)
handshakes = st.none() | st.builds(
    SimTls, version=st.sampled_from(("TLSv1.2", "TLSv1.3")), fault=st.sampled_from(TlsFault), needs_name=st.booleans()
)


def services(port: int, protocol: int) -> st.SearchStrategy[SimService]:
    return st.builds(
        SimService,
        port=st.just(port),
        protocol=st.just(protocol),
        banner=words,
        banner_delay=seconds,
        answers=st.lists(replies, max_size=2).map(tuple),
        default=st.none() | replies,
        think=seconds,
        after_banner=thens,
        pours=pours,
        idle=st.sampled_from((0.0, 0.05)),
        farewell=words,
        tls=handshakes,
        start_tls=handshakes,
        workers=st.integers(0, 1),
        most_open=st.integers(0, 2),
        accepts=st.sampled_from((0, 2)),
    )


token = st.sampled_from(TOKENS)
steps = st.one_of(
    st.tuples(st.just("open"), token, st.sampled_from(PORTS), st.booleans()),
    st.tuples(st.just("send"), token, words),
    st.tuples(st.just("start_tls"), token),
    st.tuples(st.just("close"), token),
    st.tuples(st.just("wait"), st.sampled_from((0.0, 0.011, 0.05, 1.0))),
)


class Witness:
    """What a client knows of its streams."""

    def __init__(self) -> None:
        self.alive: set[int] = set()
        self.times: dict[int, float] = {}

    def began(self, number: int, now: float) -> None:
        self.alive.add(number)
        self.times[number] = now

    def saw(self, event: DialEvent, now: float) -> None:
        assert event.token in self.alive, "an event of a stream that is over"
        assert self.times[event.token] <= event.at <= now
        self.times[event.token] = event.at
        match event:
            case Ended():
                assert event.phase in ("connect", "tls", "stream")
                self.alive.remove(event.token)
            case Received():
                assert 0 < len(event.data) <= MOST_AT_ONCE
            case Opened():
                pass


@settings(max_examples=150, deadline=None)
@given(services(1, 6), services(2, 6), services(53, 17), st.lists(steps, max_size=14), st.integers(0, 3))
def test_promises_are_kept(
    first: SimService, second: SimService, third: SimService, plan: list[object], seed: int
) -> None:
    talk = Talk(first, second, third, seed=seed, limit=2, faults=LinkFaults(latency=0.005, jitter=0.004, loss=0.05))
    clock, witness = talk.network.clock, Witness()
    for step in [*plan, ("wait", 1.0)]:
        match step:
            case ("open", int(number), int(port), bool(tls)):
                witness.began(number, clock.now())
                talk.open(number, port, tls=tls and port != 53, udp=port == 53)
            case ("send", int(number), bytes(data)):
                talk.dialer.send(number, data)
            case ("start_tls", int(number)):
                talk.dialer.start_tls(number)
            case ("close", int(number)):
                talk.dialer.close(number)
                witness.alive.discard(number)
            case ("wait", float(time)):
                before = clock.now()
                for event in talk.dialer.poll(time):
                    witness.saw(event, clock.now())
                assert clock.now() <= before + max(time, 0.000_001) + 1e-9
    talk.dialer.close_all()
    assert talk.dialer.poll(5.0) == []
