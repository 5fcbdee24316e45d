"""Bounce scans over the simulated network, whose FTP servers say what they are told to say."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from leadline.errors import NetworkError
from leadline.model.event import HostDone, Notice, PortFound, TaskEnded, TaskStarted
from leadline.model.port import PortState, Reason
from leadline.sim.speech import Pour, Reply, Then
from leadline.sim.world import SimHost, SimService, World, ports, simple_world
from tests.support.sim_scan import SimScan, open_ports, port_of, sim_scan, state_of, stop_when

LOGIN = (Reply(b"USER", b"331 And now?\r\n"), Reply(b"PASS", b"230 Come in\r\n"))
QUIT = Reply(b"QUIT", b"221 Bye\r\n", Then.CLOSE)
OPENS = Reply(b"LIST", b"150 Opening\r\n226 Done\r\n")


def world(*answers: Reply, login: tuple[Reply, ...] = LOGIN) -> World:
    service = SimService(21, banner=b"220 Hello\r\n", answers=(*login, *answers, QUIT))
    server = SimHost(
        (ip_address("10.0.0.9"), ip_address("2001:db8::9")), hostname="ftp.example", tcp=ports(21), services=(service,)
    )
    targets = [SimHost((ip_address(f"10.0.0.{number}"),)) for number in (5, 6)]
    made = simple_world([server, *targets])
    return replace(made, subnets=(*made.subnets, simple_world([], network="2001:db8::/64").subnets[-1]))


def scan(made: World, *targets: str, **options: Any) -> SimScan:
    given = {"relay": "10.0.0.9", "skip_discovery": True, "ports": "8000-8003"} | options
    return sim_scan(made, *(targets or ("10.0.0.5",)), **given)


def port_command(high: int, low: str) -> bytes:
    return rf"PORT 10,0,0,\d+,{high},{low}\r".encode()


HELPFUL = Reply(b"PORT", b"200 Fine\r\n")


@pytest.mark.parametrize("relay", ["10.0.0.9", "10.0.0.9:21", "ftp.example", "me:pw@10.0.0.9"])
def test_what_the_server_reaches_is_open(relay: str) -> None:
    done = scan(world(HELPFUL, OPENS), relay=relay)
    host = done.host("10.0.0.5")
    assert open_ports(host) == {8000, 8001, 8002, 8003}
    proof = port_of(host, 8000).evidence
    assert proof is not None
    assert proof.reply == "ftp 226 Done"
    assert str(proof.responder) == "10.0.0.9"
    assert port_of(host, 8000).reason is Reason.NO_RESPONSE
    assert {event.port.number for event in done.of(PortFound)} == {8000, 8001, 8002, 8003}
    assert [event.task for event in done.of(TaskStarted)] == ["Bounce Scan"]
    assert len(done.of(TaskEnded)) == 1


def test_closed_and_many() -> None:
    host = scan(world(HELPFUL, Reply(b"LIST", b"425 No\r\n")), ports="8000-8099").host("10.0.0.5")
    (summary,) = host.summaries
    assert (summary.state, summary.count, summary.ranges) == (PortState.CLOSED, 100, ((8000, 8099),))


def test_several_hosts_one_after_the_other() -> None:
    done = scan(world(HELPFUL, OPENS), "10.0.0.5", "10.0.0.6", max_hostgroup=1)
    assert all(len(open_ports(done.host(f"10.0.0.{number}"))) == 4 for number in (5, 6))


def test_a_filter_is_told_by_silence() -> None:
    made = world(HELPFUL, Reply(b"LIST", b"150 Opening\r\n"), Reply(b"ABOR", b"426 Cut\r\n226 Aborted\r\n"))
    done = scan(made)
    assert {state_of(done.host("10.0.0.5"), port) for port in (8000, 8003)} == {PortState.FILTERED}
    assert 40 < done.seconds < 60


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (world(Reply(b"PORT", b"500 Illegal PORT command\r\n")), "refuses to connect elsewhere"),
        (world(Reply(b"PORT", b"", Then.RESET)), "hangs up"),
        (world(login=(Reply(b"USER", b"530 Go away\r\n"),)), "does not let 'anonymous' in"),
        (replace(world(), hosts=world().hosts[1:]), "did not greet us"),
    ],
)
def test_servers_of_no_use(made: World, words: str) -> None:
    events: list[object] = []
    with pytest.raises(NetworkError, match=words):
        scan(made, watch=lambda event, _: events.append(event))
    (host,) = [event.host for event in events if isinstance(event, HostDone)]
    assert host.interrupted == "Bounce Scan"


def test_privileged_ports() -> None:
    refused = Reply(rb"PORT 10,0,0,\d+,[0-3],\d+\r", b"500 Not those\r\n", pattern=True)
    done = scan(world(refused, HELPFUL, OPENS), ports="20-25,8000")
    assert open_ports(done.host("10.0.0.5")) == {8000}
    assert any("6 of them not asked" in notice.text for notice in done.of(Notice))


def test_ipv6_targets_are_left_out() -> None:
    done = scan(world(HELPFUL, OPENS), "2001:db8::9", "10.0.0.5", ports="8000")
    assert any("IPv4 addresses only" in notice.text for notice in done.of(Notice))
    assert open_ports(done.host("10.0.0.5")) == {8000}
    assert done.host("2001:db8::9").ports == ()


def test_a_name_without_address() -> None:
    with pytest.raises(NetworkError, match="has no address"):
        scan(world(), relay="nobody.example")


def test_interrupted() -> None:
    made = world(HELPFUL, OPENS)
    done = scan(
        made, "10.0.0.5", "10.0.0.6", ports="8000-9000", watch=stop_when(lambda event: isinstance(event, PortFound))
    )
    assert done.host("10.0.0.5").interrupted == "Bounce Scan"
    assert done.host("10.0.0.6").interrupted
    assert open_ports(done.host("10.0.0.5"))


def test_host_timeout() -> None:
    host = scan(world(HELPFUL, Reply(b"LIST", b"150 Opening\r\n")), host_timeout=15.0).host("10.0.0.5")
    assert host.timed_out


def test_given_up_after_so_many_open_ports() -> None:
    host = scan(world(HELPFUL, OPENS), ports="8000-9000", max_open_ports=3).host("10.0.0.5")
    assert (host.gave_up, host.timed_out, host.interrupted) == (True, False, "Bounce Scan")
    assert len(open_ports(host)) == 3


@pytest.mark.parametrize("flood", [b"200 ok\r\n", b"x" * 1000, b"220-\r\n", b"150 and\r\n", b"\x00\xff\r"])
def test_a_server_that_never_stops_talking(flood: bytes) -> None:
    made = world(HELPFUL, OPENS)
    service = replace(made.hosts[0].services[0], pours=Pour(flood * 20, every=0.0))
    made = replace(made, hosts=(replace(made.hosts[0], services=(service,)), *made.hosts[1:]))
    # It may be believed or not; the scan comes to an end, and soon.
    with contextlib.suppress(NetworkError):
        assert scan(made).seconds < 100
