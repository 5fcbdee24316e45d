"""Which halves a real link is made of, and what happens when the kernel refuses them."""

from __future__ import annotations

import time
from dataclasses import replace
from ipaddress import ip_address

import pytest

from leadline.errors import LinkError, NetworkError, PrivilegeError
from leadline.link import kernel, packet_socket
from leadline.link.base import CaptureFilter, Interface
from leadline.link.kernel import KernelNetwork
from leadline.link.kernel_tables import KernelTables
from leadline.link.socket_link import SocketLink
from leadline.link.twin_sender import TwinSender
from leadline.model.address import columns_of
from leadline.model.plan import Proxy
from tests.support.dialing import closed_port
from tests.support.threads import wait_for_closing

CAPTURE = CaptureFilter(6, ip_address("fe80::1"), 1, 2)


class Half:
    """Stands for a sender or receiver; ``refused`` maps class names to what opening them raises."""

    refused: dict[str, Exception]
    opened: list[tuple[str, tuple[object, ...]]]
    closed: list[str]

    mapped: dict[str, list[object]]

    def __init__(self, *arguments: object, mapped: object = None) -> None:
        name = type(self).__name__
        Half.mapped.setdefault(name, []).append(mapped)
        if name in Half.refused:
            raise Half.refused[name]
        Half.opened.append((name, arguments))

    def see_everything(self) -> None:
        Half.opened.append(("everything", ()))
        if "everything" in Half.refused:
            raise Half.refused["everything"]

    def close(self) -> None:
        Half.closed.append(type(self).__name__)


@pytest.fixture(autouse=True)
def _halves(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    Half.refused, Half.opened, Half.closed, Half.mapped = {}, [], [], {}
    for name in ("ReceiveRing", "TransmitRing", "PacketReceiver", "PacketSender", "InternetSender"):
        monkeypatch.setattr(kernel, name, type(name, (Half,), {}))
    owner = replace(ethernet, addresses=((CAPTURE.source, 64),))
    monkeypatch.setattr(kernel, "read_tables", lambda: KernelTables((owner,)))


def names() -> list[str]:
    """Both halves are opened at the same time: in any order."""
    return sorted(name for name, _ in Half.opened)


def sender() -> tuple[object, ...]:
    """What the sender that was opened last was made with."""
    return [arguments for name, arguments in Half.opened if "Receive" not in name and name != "everything"][-1]


def test_rings_where_possible(ethernet: Interface) -> None:
    link = KernelNetwork().open_link(ethernet, CAPTURE)
    assert names() == ["ReceiveRing", "TransmitRing"]
    assert link.interface is ethernet
    assert sender() == (ethernet, 0, link.statistics)


def test_header_less_devices_are_told_the_protocol(ethernet: Interface) -> None:
    tun = replace(ethernet, kind="point", link_header=0)
    KernelNetwork().open_link(tun, CAPTURE)
    assert sender()[1] == 0x86DD
    KernelNetwork().open_link(tun, replace(CAPTURE, family=4, source=ip_address("10.0.0.1")))
    assert sender()[1] == 0x0800


def test_plain_sockets_otherwise(ethernet: Interface) -> None:
    KernelNetwork(rings=False).open_link(ethernet, CAPTURE)
    assert names() == ["PacketReceiver", "PacketSender"]
    Half.opened.clear()
    Half.refused = {"ReceiveRing": LinkError("no memory"), "TransmitRing": LinkError("no memory")}
    KernelNetwork().open_link(ethernet, CAPTURE)
    assert names() == ["PacketReceiver", "PacketSender"]


def test_loopback_is_sent_to_by_address(ethernet: Interface) -> None:
    loopback = replace(ethernet, name="lo", kind="loopback")
    KernelNetwork().open_link(loopback, CAPTURE)
    assert names() == ["InternetSender", "ReceiveRing"]
    assert sender()[0] == replace(ethernet, addresses=((CAPTURE.source, 64),))
    KernelNetwork().open_link(loopback, replace(CAPTURE, source=ip_address("::1")))
    assert sender()[0] is loopback


def test_packets_may_be_given_to_the_kernel(ethernet: Interface) -> None:
    routed = replace(ethernet, by_kernel=True)
    KernelNetwork().open_link(routed, CAPTURE)
    assert names() == ["InternetSender", "ReceiveRing"]
    assert sender()[:2] == (routed, 6)


def test_frames_to_others_are_seen_when_asked_for(ethernet: Interface) -> None:
    capture = replace(CAPTURE, promiscuous=True)
    KernelNetwork().open_link(ethernet, capture)
    assert names() == ["ReceiveRing", "TransmitRing", "everything"]
    Half.refused = {"everything": LinkError("no")}
    with pytest.raises(LinkError):
        KernelNetwork().open_link(ethernet, capture)
    assert sorted(Half.closed) == ["ReceiveRing", "TransmitRing"]


@pytest.mark.parametrize("error", [PrivilegeError("no"), LinkError("down")])
def test_a_refused_sender_closes_the_receiver(ethernet: Interface, error: Exception) -> None:
    Half.refused = {"TransmitRing": error, "PacketSender": error}
    with pytest.raises(type(error)):
        KernelNetwork().open_link(ethernet, CAPTURE)
    assert Half.closed == ["ReceiveRing"]


def test_missing_rights_are_not_hidden_by_the_fallback(ethernet: Interface) -> None:
    Half.refused = {"ReceiveRing": PrivilegeError("no")}
    with pytest.raises(PrivilegeError):
        KernelNetwork().open_link(ethernet, CAPTURE)
    assert names() == ["TransmitRing"]
    assert Half.closed == ["TransmitRing"]


def test_rights_are_found_out_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid() -> None:
        raise PrivilegeError("no")

    monkeypatch.setattr(packet_socket, "open_packet_socket", forbid)
    assert not KernelNetwork().can_send_raw()
    monkeypatch.setattr(packet_socket, "open_packet_socket", Half)
    assert KernelNetwork().can_send_raw()


class Tried:
    """A packet socket that only knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Mapping(str):
    """A ring that only has a name."""

    __slots__ = ()

    def close(self) -> None: ...


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Tried]:
    """Every packet socket that is opened."""
    sockets: list[Tried] = []

    def opened() -> Tried:
        sockets.append(Tried())
        return sockets[-1]

    monkeypatch.setattr(packet_socket, "open_packet_socket", opened)
    monkeypatch.setattr(kernel.receive_ring, "map_ring", lambda opened: Mapping("receiving"))
    monkeypatch.setattr(kernel.transmit_ring, "map_ring", lambda opened: Mapping("sending"))
    return sockets


def test_the_socket_that_was_tried_serves_the_first_link(tried: list[Tried], ethernet: Interface) -> None:
    network = KernelNetwork()
    for _ in range(2):
        assert network.can_send_raw()
        network.open_link(ethernet, CAPTURE)
    assert Half.mapped == {"ReceiveRing": [(tried[0], None), None], "TransmitRing": [None, None]}


@pytest.mark.parametrize("pays", [True, False])
def test_rings_are_prepared_for_the_first_link(
    tried: list[Tried], ethernet: Interface, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel.SecondThread, "pays", lambda: pays)
    network = KernelNetwork()
    for _ in range(2):
        network.prepare()  # once is enough
    network.open_link(ethernet, CAPTURE)
    network.open_link(ethernet, CAPTURE)
    prepared = [(each, "sending") for each in tried[1:]]
    assert Half.mapped == {"ReceiveRing": [(tried[0], "receiving"), None], "TransmitRing": [*prepared, None]}
    assert len(prepared) == 1 + pays
    del network
    assert not any(each.closed for each in tried)


def test_prepared_rings_that_nobody_wants_are_closed(
    tried: list[Tried], ethernet: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel.SecondThread, "pays", lambda: True)
    network = KernelNetwork()
    network.prepare()
    network.open_link(replace(ethernet, kind="loopback"), CAPTURE)
    assert [each.closed for each in tried] == [False, True, True]
    unused = KernelNetwork()
    unused.prepare()
    assert unused._early is not None
    unused._early.close()
    del unused
    assert [each.closed for each in tried[3:]] == [True] * 3
    Half.refused = {"TransmitRing": LinkError("no")}
    refused = KernelNetwork()
    refused.prepare()
    refused.open_link(ethernet, CAPTURE)
    assert [each.closed for each in tried[6:]] == [False, False, True]


def test_what_the_kernel_refuses_is_not_prepared(
    tried: list[Tried], monkeypatch: pytest.MonkeyPatch, ethernet: Interface
) -> None:
    def refuse(opened: object) -> None:
        raise OSError(12, "no memory")

    monkeypatch.setattr(kernel.transmit_ring, "map_ring", refuse)
    network = KernelNetwork()
    network.prepare()
    network.open_link(ethernet, CAPTURE)
    assert Half.mapped["TransmitRing"] == [None]
    assert tried[1].closed
    plain = KernelNetwork(rings=False)
    plain.prepare()
    assert plain._early is None


@pytest.mark.parametrize("pays", [True, False])
def test_two_rings_send_where_there_are_two_processors(
    monkeypatch: pytest.MonkeyPatch, ethernet: Interface, pays: bool
) -> None:
    monkeypatch.setattr(kernel.SecondThread, "pays", lambda: pays)
    link = KernelNetwork().open_link(ethernet, CAPTURE)
    assert isinstance(link, SocketLink)
    assert isinstance(link._sender, TwinSender) == pays
    link.close()
    wait_for_closing()
    assert sorted(Half.closed) == ["ReceiveRing", "TransmitRing"]


def test_tables_are_read_once(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    reads = []

    def read() -> KernelTables:
        reads.append(1)
        return KernelTables((ethernet,))

    monkeypatch.setattr(kernel, "read_tables", read)
    network = KernelNetwork()
    assert network.interfaces() == [ethernet]
    for _ in range(2):
        assert list(network.routes(4, *columns_of([ip_address("10.0.0.1")]), {}).route_of) == [-1]
    assert len(reads) == 1


def test_clock_neighbors_and_connector(monkeypatch: pytest.MonkeyPatch, ethernet: Interface) -> None:
    network = KernelNetwork()
    before = network.clock.now()
    assert before <= network.clock.now()
    assert abs(network.clock.epoch() - time.time()) < 60
    monkeypatch.setattr(kernel, "known_mac", lambda interface, address: b"\2\0\0\0\0\7")
    assert network.neighbor(ethernet, CAPTURE.source) == b"\2\0\0\0\0\7"
    connector = network.connector(3)
    assert connector.capacity == 3
    connector.close()


def test_dialers_and_connections_through_proxies() -> None:
    network = KernelNetwork()
    dialer = network.dialer(4)
    assert dialer.capacity == 4
    dialer.close_all()
    nobody = (Proxy("socks5", "127.0.0.1", closed_port()),)
    with pytest.raises(NetworkError, match="Connection refused"):
        network.dialer(4, nobody)
    with pytest.raises(NetworkError, match="Connection refused"):
        network.connector(4, nobody)
