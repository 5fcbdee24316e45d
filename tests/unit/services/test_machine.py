from __future__ import annotations

from ipaddress import ip_address

from leadline.engine.rate import RateLimiter
from leadline.model.service import TlsFacts
from leadline.net.base import DialEvent, Ended, Endpoint, Opened, Received
from leadline.services.fingerprint import FingerprintFacts
from leadline.services.machine import Answer, Asking, PortTarget, ServiceMachine
from leadline.services.waiting import Waits
from tests.support.playbook import PATIENT, TLS, matcher

HOST = ip_address("10.0.0.1")
FACTS = FingerprintFacts("1.0", 7, 0.0, "x")
MATCHER = matcher()


class FakeDialer:
    """Remembers what it was told; tests make its events. ``most``: the highest number of streams open at once."""

    def __init__(self, capacity: int = 10_000) -> None:
        self.capacity = capacity
        self.live: dict[int, Endpoint] = {}
        self.opened: list[tuple[int, Endpoint]] = []
        self.sent: list[tuple[int, bytes]] = []
        self.upgraded: list[tuple[int, str]] = []
        self.most = 0

    def open(self, token: int, endpoint: Endpoint) -> None:
        self.live[token] = endpoint
        self.opened.append((token, endpoint))
        self.most = max(self.most, len(self.live))

    def send(self, token: int, data: bytes) -> None:
        self.sent.append((token, data))

    def start_tls(self, token: int, name: str = "") -> None:
        self.upgraded.append((token, name))

    def close(self, token: int) -> None:
        self.live.pop(token, None)

    def poll(self, timeout: float) -> list[DialEvent]:
        return []

    def close_all(self) -> None:
        self.live.clear()


def machine(dialer: FakeDialer, waits: Waits | None = None, **fields: object) -> ServiceMachine:
    rate = fields.pop("rate", None)
    limit = fields.pop("limit", 1000)
    asking = Asking(MATCHER, 7, waits or Waits(), FACTS, **fields)  # type: ignore[arg-type]
    assert isinstance(limit, int)
    return ServiceMachine(dialer, asking, RateLimiter(rate, None, 0.0), limit)  # type: ignore[arg-type]


def target(port: int, host: int = 0, index: int = 0, **fields: object) -> PortTarget:
    return PortTarget(host, index, HOST + host, port, rtt=0.001, **fields)  # type: ignore[arg-type]


def run(made: ServiceMachine, dialer: FakeDialer, replies: dict[int, bytes], seconds: float = 60.0) -> list[Answer]:
    """Everything connects after a millisecond; a port says its reply to whatever comes first."""
    now, answers = 0.0, []
    greeted: set[int] = set()
    while not made.done:
        made.start(now)
        events: list[DialEvent] = []
        for token, endpoint in list(dialer.live.items()):
            if token not in greeted:
                greeted.add(token)
                events.append(Opened(token, now))
                if endpoint.port in replies:
                    events.append(Received(token, now, replies[endpoint.port]))
        made.take(events, now)
        answers += made.answers()
        now += 0.01
        assert now < seconds
    return answers


def test_every_port_gets_its_answer() -> None:
    dialer = FakeDialer()
    made = machine(dialer)
    for index, port in enumerate((22, 80, 7777)):
        made.add(target(port, index=index, table_name="guess"))
    replies = {22: b"SSH-2.0-OpenSSH_9.2\r\n", 80: b"HTTP/1.0 200 OK\r\nServer: nginx/1.2\r\n\r\n"}
    answers = {answer.target.port: answer for answer in run(made, dialer, replies)}
    assert answers[22].service.product == "OpenSSH"
    assert answers[80].service.product == "nginx"
    assert (answers[7777].service.name, answers[7777].responsive) == ("guess", True), "it was accepted"
    assert all(answer.complete for answer in answers.values())
    assert not dialer.live
    assert made.finished == made.added == 3


def test_a_host_is_never_asked_on_more_connections_than_allowed() -> None:
    dialer = FakeDialer()
    made = machine(dialer, Waits(per_host=6))
    for index in range(20):
        made.add(target(7000 + index, index=index))
    run(made, dialer, {}, 400.0)
    assert dialer.most == 6


def test_all_hosts_share_the_descriptors() -> None:
    for limit, capacity in ((5, 1000), (1000, 5)):
        dialer = FakeDialer(capacity)
        made = machine(dialer, limit=limit)
        for host in range(12):
            made.add(target(80, host))
        run(made, dialer, {80: b"HTTP/1.0 200 OK\r\nServer: nginx/1.2\r\n\r\n"})
        assert dialer.most <= 5
        assert {endpoint.address for _, endpoint in dialer.opened} == {HOST + host for host in range(12)}


def test_one_connection_a_port_when_patient() -> None:
    dialer = FakeDialer()
    made = machine(dialer, PATIENT)
    for index in range(3):
        made.add(target(22, index=index))
    answers = run(made, dialer, {22: b"SSH-2.0-OpenSSH_9.2\r\n"})
    assert len(answers) == 3
    assert dialer.most == 1


def test_the_rate_is_kept() -> None:
    dialer = FakeDialer()
    made = machine(dialer, rate=10.0)
    for host in range(30):
        made.add(target(22, host))
    now = 0.0
    while now < 1.0:
        made.start(now)
        timer = made.next_timer(now)
        assert timer is not None
        now += 0.01
    assert 9 <= len(dialer.opened) <= 12


def test_scan_delay_is_kept_for_each_host() -> None:
    dialer = FakeDialer()
    made = machine(dialer, delay=0.4)
    for index in range(3):
        made.add(target(22 + index, index=index))
    made.add(target(22, host=1))
    made.start(0.0)
    assert len(dialer.opened) == 2
    timer = made.next_timer(0.0)
    assert timer is not None
    assert timer <= 0.4
    made.start(0.3)
    assert len(dialer.opened) == 2
    made.start(0.41)
    assert len(dialer.opened) == 3


def test_what_recognised_an_unusual_port_is_tried_first_elsewhere() -> None:
    dialer = FakeDialer()
    made = machine(dialer, Waits(per_host=4))
    made.add(target(7777))
    replies = {7777: b"HTTP/1.0 200 OK\r\nServer: nginx/1.2\r\n\r\n"}
    # A banner that is an HTTP answer is not recognised by the NULL probe.
    run(made, dialer, replies)
    dialer.sent.clear()
    made.add(target(7777, host=1))
    made.start(100.0)
    token = dialer.opened[-1][0]
    made.take([Opened(token, 100.001)], 100.001)
    made.start(100.002)
    token = dialer.opened[-1][0]
    made.take([Opened(token, 100.003)], 100.003)
    assert dialer.sent[0] == (token, b"GET / HTTP/1.0\r\n\r\n")


def test_starttls_follows_and_its_facts_are_kept() -> None:
    dialer = FakeDialer()
    made = machine(dialer)
    made.add(target(25, name="mail.example"))
    made.start(0.0)
    made.take([Opened(1, 0.001), Received(1, 0.002, b"220 mail ESMTP Postfix\r\n")], 0.002)
    made.start(0.1)
    assert 1 not in dialer.live
    made.take([Opened(2, 0.101), Received(2, 0.102, b"220 mail ESMTP Postfix\r\n")], 0.102)
    assert dialer.sent[-1] == (2, b"EHLO leadline.invalid\r\n")
    made.take([Received(2, 0.103, b"250 STARTTLS\r\n"), Received(2, 0.104, b"220 go\r\n")], 0.104)
    assert dialer.upgraded == [(2, "mail.example")]
    made.take([Opened(2, 0.105, TLS)], 0.105)
    (answer,) = made.answers()
    assert answer.service.product == "Postfix smtpd"
    assert answer.service.tls == TlsFacts(TLS.version, TLS.cipher, via="smtp")
    assert made.done
    assert not dialer.live


def test_events_of_forgotten_streams_are_ignored() -> None:
    dialer = FakeDialer()
    made = machine(dialer)
    made.add(target(22))
    made.start(0.0)
    made.take([Opened(99, 0.0), Received(98, 0.0, b"x"), Ended(97, 0.0, "stream", 0)], 0.0)
    assert not made.done


def test_stopping_gives_what_is_known_and_leaves_the_rest() -> None:
    dialer = FakeDialer()
    made = machine(dialer, Waits(per_host=2))
    for index in range(4):
        made.add(target(2121, index=index))
    made.add(target(2121, host=1))
    made.start(0.0)
    made.take([Opened(1, 0.001), Received(1, 0.002, b"220 an FTP server\r\n")], 0.002)
    made.stop(0.1, host=0)
    answers = made.answers()
    assert [(answer.service.name, answer.complete) for answer in answers] == [("ftp", False)]
    assert not made.done
    made.stop(0.2)
    assert made.done
    assert not dialer.live


def test_each_step_is_told() -> None:
    told: list[tuple[int, float, str]] = []
    dialer = FakeDialer()
    made = machine(dialer, trace=lambda port, at, text: told.append((port.port, at, text)))
    made.add(target(22))
    run(made, dialer, {22: b"SSH-2.0-OpenSSH_9.2\r\n"})
    assert (22, 0.0, "NULL: connecting") in told
    assert told[-1][2] == "match: recognised by its banner (rule rules:6)"


def test_a_connection_that_is_no_longer_wanted_is_not_begun() -> None:
    """STARTTLS follows a dialogue whose second connection still waited for room."""
    dialer = FakeDialer()
    made = machine(dialer, Waits(per_host=2, streams=4))
    made.add(target(2525))
    made.start(0.0)
    made.take([Opened(1, 0.001)], 0.001)
    made.start(0.3)  # two more connections are wanted, one has room
    assert len(dialer.opened) == 2
    made.take([Received(1, 0.301, b"220 mail ESMTP Postfix\r\n")], 0.301)
    for step in range(1, 30):
        made.start(0.3 + step / 100)
    names = [endpoint.port for _, endpoint in dialer.opened]
    assert len(names) == 3
    made.take([Opened(3, 0.7), Received(3, 0.71, b"220 mail ESMTP Postfix\r\n")], 0.71)
    assert dialer.sent[-1] == (3, b"EHLO leadline.invalid\r\n")


def test_a_connection_that_was_closed_while_it_waited_is_not_begun() -> None:
    """A softmatch makes probes needless whose connections had no room yet: none is opened to stay silent."""
    dialer = FakeDialer()
    made = machine(dialer, Waits(per_host=10, streams=4), rate=1.0)
    made.add(target(7777))
    now, said = 0.0, False
    opened: dict[int, float] = {}
    while not made.done and now < 60:
        made.start(now)
        events: list[DialEvent] = []
        for token in [token for token in dialer.live if token not in opened]:
            opened[token] = now
            events.append(Opened(token, now))
        listener = min(dialer.live, default=0)
        if not said and now > 0.5:
            said = True
            events.append(Received(listener, now, b"220 some ftp\r\n"))
        made.take(events, now)
        now += 0.01
    spoken = {token for token, _ in dialer.sent}
    # The listener, and STARTTLS, which waits for the greeting.
    assert [token for token in opened if token not in spoken] == [1, 3]


def test_many_hosts_leave_each_other_room_for_the_second_connection() -> None:
    """If listeners took all streams, every web port would wait for a banner until the end of its time."""
    for limit in (2, 3, 20):
        dialer = FakeDialer()
        made = machine(dialer, Waits(per_host=limit, streams=2), limit=limit)
        for host in range(40):
            made.add(target(80, host))
        now = 0.0
        greeted: set[int] = set()
        while not made.done:
            made.start(now)
            fresh = [token for token in dialer.live if token not in greeted]
            greeted.update(fresh)
            events: list[DialEvent] = [Opened(token, now) for token in fresh]
            said = [token for token, _ in dialer.sent if token in dialer.live]
            events += [Received(token, now, b"HTTP/1.1 200 OK\r\nServer: nginx/1.2\r\n\r\n") for token in said]
            dialer.sent.clear()
            made.take(events, now)
            now += 0.01
            assert now < 20
        assert dialer.most <= limit
        assert now < 0.5 * 40 / (limit // 2)


def test_without_room_for_two_it_is_patient() -> None:
    dialer = FakeDialer(capacity=1)
    made = machine(dialer, Waits(streams=4))
    made.add(target(80))
    made.start(0.0)
    made.take([Opened(1, 0.001)], 0.001)
    for now in (0.3, 2.5, 5.9, 6.1):
        assert dialer.sent == []
        made.start(now)
    assert dialer.sent == [(1, b"GET / HTTP/1.0\r\n\r\n")]


def test_hosts_are_overdue_from_their_first_connection_on() -> None:
    dialer = FakeDialer()
    made = machine(dialer, limit=2)
    for host in range(3):
        made.add(target(7777, host=host))
    made.start(0.0)
    assert made.overdue(4.0, 5.0) == []
    assert made.overdue(5.1, 5.0) == [0]
    made.stop(5.1, 0)
    made.start(5.1)
    assert made.overdue(10.0, 5.0) == []
    assert made.overdue(10.2, 5.0) == [1]
