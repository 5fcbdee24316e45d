"""The Python API: events plain and async, scans that are left, stopped or fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

import leadline
from leadline import api
from leadline.errors import LinkError
from leadline.link.base import CaptureFilter, Interface
from leadline.model.event import Event, HostDone, Notice, PortFound, ScanEnded, ScanStarted
from leadline.model.host import HostStatus
from leadline.model.plan import Plan
from leadline.model.port import PortState
from leadline.sim.link import SimLink
from leadline.sim.network import SimNetwork
from tests.support.api_scans import WORLD, plan_of, scan_of
from tests.support.frozen import loads


async def events_of(scan: api.Scan) -> list[Event]:
    return [event async for event in scan]


def scanning() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "leadline scan"]


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    assert scanning() == []
    yield
    until = time.monotonic() + 5
    while scanning() and time.monotonic() < until:
        time.sleep(0.01)
    assert scanning() == []


# ---- what a scan gives -----------------------------------------------------------------------------------------------


def test_hosts_are_given_with_what_was_found() -> None:
    network = SimNetwork(WORLD, seed=1)
    hosts = leadline.scan_hosts(["10.0.0.4/30"], ports="22,80", network=network, resolver=network.resolver())
    up = {str(host.address): host for host in hosts if host.status is HostStatus.UP}
    assert {str(host.address) for host in hosts} == {f"10.0.0.{last}" for last in (4, 5, 6, 7)}
    assert {address: host.name for address, host in up.items()} == {
        "10.0.0.5": "web.example", "10.0.0.6": "gate.example",
    }  # fmt: skip
    states = {port.number: port.state for port in up["10.0.0.5"].ports}
    assert states == {22: PortState.CLOSED, 80: PortState.OPEN}


def test_events_are_the_same_plain_and_async() -> None:
    plain = list(scan_of())
    assert isinstance(plain[0], ScanStarted)
    assert isinstance(plain[-1], ScanEnded)
    assert (plain[-1].exit, plain[-1].hosts_up, plain[-1].hosts_total) == ("success", 2, 4)
    assert asyncio.run(events_of(scan_of())) == plain


def test_the_same_seed_gives_the_same_scan_and_another_seed_another_order() -> None:
    def order(seed: int) -> list[str]:
        network = SimNetwork(WORLD)
        hosts = leadline.scan_hosts(
            "10.0.0.0/27", discovery="list", randomize_hosts=True, seed=seed, network=network,
            resolver=network.resolver(),
        )  # fmt: skip
        return [str(host.address) for host in hosts]

    assert order(7) == order(7)
    assert sorted(order(8)) == sorted(order(7))
    assert order(8) != order(7)


def test_a_text_of_targets_is_split_at_blanks_and_a_list_is_not() -> None:
    assert plan_of(targets=" 10.0.0.5\t10.0.0.6 ").targets.expressions == ("10.0.0.5", "10.0.0.6")
    assert plan_of(targets=["10.0.0.5"]).targets.expressions == ("10.0.0.5",)
    assert plan_of(targets="10.0.0.5").arguments == ("leadline.scan", "10.0.0.5")


def test_without_a_network_it_is_this_machines_own() -> None:
    # A list scan sends nothing.
    hosts = leadline.scan_hosts("192.0.2.0/31", discovery="list", reverse="never")
    assert [str(host.address) for host in hosts] == ["192.0.2.0", "192.0.2.1"]
    assert [host.status for host in hosts] == [HostStatus.UNKNOWN] * 2


# ---- leaving, stopping, failing --------------------------------------------------------------------------------------


def test_leaving_early_stops_the_scan() -> None:
    scan = scan_of("10.0.0.0/24", ports="1-2000")

    async def first_port() -> PortFound:
        async for event in scan:
            if isinstance(event, PortFound):
                return event
        raise LookupError

    assert asyncio.run(first_port()).port.state is PortState.OPEN
    assert scan._control.stop == "the caller"


def test_closing_the_stream_waits_for_the_scan_to_end() -> None:
    async def leave() -> None:
        stream: AsyncIterator[Event] = aiter(scan_of("10.0.0.0/24", ports="1-2000"))
        async with aclosing(stream) as events:  # type: ignore[type-var]
            await anext(events)
            assert len(scanning()) == 1
        assert scanning() == []

    asyncio.run(leave())


def test_a_cancelled_reader_stops_the_scan() -> None:
    scan = scan_of("10.0.0.0/24", ports="1-2000")
    seen: list[Event] = []

    async def read() -> None:
        async for event in scan:
            seen.append(event)
            await asyncio.sleep(0)

    async def cancel() -> None:
        task = asyncio.create_task(read())
        while not seen:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert scanning() == []
    assert not any(isinstance(event, ScanEnded) for event in seen)


def test_leaving_a_plain_loop_closes_the_links() -> None:
    network = SimNetwork(WORLD, seed=1)
    for event in scan_of(network=network):
        if isinstance(event, PortFound):
            break
    assert network._links == []


def test_stop_ends_the_scan_in_good_order() -> None:
    scan = scan_of("10.0.0.0/24", ports="1-2000")
    events = []
    for event in scan:
        events.append(event)
        if isinstance(event, PortFound):
            scan.stop("an impatient user")
            scan.stop("somebody else")
    ended = events[-1]
    assert isinstance(ended, ScanEnded)
    assert (ended.exit, ended.message) == ("interrupted", "interrupted by an impatient user")
    assert any(event.host.interrupted for event in events if isinstance(event, HostDone))


def test_a_scan_that_was_stopped_before_it_began_sends_nothing() -> None:
    scan = scan_of()
    scan.stop()
    events = list(scan)
    assert isinstance(events[0], ScanStarted)
    assert isinstance(events[-1], ScanEnded)
    assert (events[-1].exit, events[-1].packets_sent) == ("interrupted", 0)


def test_a_scan_runs_once() -> None:
    scan = scan_of("10.0.0.5")
    assert len(scan.hosts()) == 1
    with pytest.raises(RuntimeError, match="once"):
        iter(scan)
    with pytest.raises(RuntimeError, match="once"):
        asyncio.run(events_of(scan))


class Unplugged(SimNetwork):
    """A network whose interface went away after the plan was made."""

    def open_link(self, interface: Interface, capture: CaptureFilter) -> SimLink:
        raise LinkError("eth0: gone")


def test_errors_travel_to_the_reader_after_the_last_event() -> None:
    plain: list[Event] = []
    with pytest.raises(LinkError, match="eth0: gone"):
        plain.extend(scan_of(network=Unplugged(WORLD)))
    read: list[Event] = []

    async def reading() -> None:
        async for event in scan_of(network=Unplugged(WORLD)):
            read.append(event)  # noqa: PERF401 - what was read before the error is wanted

    with pytest.raises(LinkError, match="eth0: gone"):
        asyncio.run(reading())
    assert read == plain
    ended = read[-1]
    assert isinstance(ended, ScanEnded)
    assert (ended.exit, ended.message) == ("error", "eth0: gone")


# ---- the way between the threads -------------------------------------------------------------------------------------


class Counting(api.Scan):
    """A scan of ``count`` events; ``made`` of them were made so far."""

    def __init__(self, count: int, failure: BaseException | None = None) -> None:
        network = SimNetwork(WORLD)
        super().__init__(Plan(), network, network.resolver())
        self.count, self.made, self.failure = count, 0, failure
        self.go = threading.Event()
        self.go.set()

    def __iter__(self) -> Iterator[Event]:
        self.go.wait()
        for number in range(self.count):
            if self._control.stop and number % 10 == 0:
                break
            self.made += 1
            yield Notice(float(number), "info", "")
        if self.failure is not None:
            raise self.failure


def test_a_slow_reader_makes_the_scan_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_WAITING", 5)
    scan = Counting(60)

    async def read() -> list[float]:
        times = []
        async for event in scan:
            assert isinstance(event, Notice)
            times.append(event.at)
            await asyncio.sleep(0.002)
            # Five wait, one is being handed over, one was read.
            assert scan.made <= len(times) + 6
        return times

    assert asyncio.run(read()) == list(range(60))


def test_a_reader_that_leaves_does_not_hold_up_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_WAITING", 2)
    scan = Counting(1000)

    async def read() -> None:
        async for _ in scan:
            while scan.made < 3:
                await asyncio.sleep(0.001)
            break

    began = time.monotonic()
    asyncio.run(read())
    assert time.monotonic() - began < 5
    # It hears of it at the next event and ends when it can: here at the next ten.
    assert scan.made <= 10


def test_the_last_event_is_not_lost_when_the_scan_ends_while_the_reader_looks() -> None:
    scan, feeds = Counting(1), list[api._Feed]()
    scan.go.clear()

    class Looking(deque[Event]):
        """At the first look nothing is there; before the reader does anything else the scan is over."""

        first = True

        def __bool__(self) -> bool:
            there = len(self) > 0
            if self.first:
                self.first = False
                scan.go.set()
                feeds[0]._thread.join()
            return there

    async def read() -> list[Event | None]:
        feeds.append(api._Feed(scan, asyncio.get_running_loop()))
        feed = feeds[0]
        feed._waiting = Looking()
        return [await feed.next(), await feed.next()]

    event, end = asyncio.run(read())
    assert event == Notice(0.0, "info", "")
    assert end is None


def test_what_arrived_is_read_before_the_failure() -> None:
    scan, seen = Counting(3, failure=ZeroDivisionError("a fault of ours")), []

    async def read() -> None:
        async for event in scan:
            seen.append(event)
            await asyncio.sleep(0.01)

    with pytest.raises(ZeroDivisionError, match="a fault of ours"):
        asyncio.run(read())
    assert len(seen) == 3


def test_a_loop_that_was_closed_under_the_scan_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MOST_WAITING", 2)
    scan = Counting(1000)
    loop = asyncio.new_event_loop()
    stream = aiter(scan)
    loop.run_until_complete(anext(stream))
    loop.close()
    # The thread notices, stops the scan and ends: the fixture waits for that.
    while scanning():
        time.sleep(0.01)
    assert scan._control.stop == "the caller"
    asyncio.run(stream.aclose())  # type: ignore[attr-defined]


# ---- the public package ----------------------------------------------------------------------------------------------


def test_every_public_name_is_there() -> None:
    assert sorted(leadline.__all__) == sorted(set(leadline.__all__))
    for name in leadline.__all__:
        assert getattr(leadline, name) is not None
    assert leadline.scan is api.scan
    with pytest.raises(AttributeError, match="no attribute 'scam'"):
        _ = leadline.scam


def test_the_package_loads_what_is_asked_for_and_no_more() -> None:
    assert not loads("leadline", "numpy")
    assert not loads("leadline", "asyncio")
