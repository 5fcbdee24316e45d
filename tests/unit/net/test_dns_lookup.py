import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import TypeVar

import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from leadline.net.dns_exchange import Answer, Exchange
from leadline.net.dns_lookup import MOST_ADDRESSES, addresses_of, candidates, look_up_all, name_of
from leadline.net.system_files import ResolverConfiguration

Result = TypeVar("Result")
BOTH = frozenset({4, 6})
PLAIN = ResolverConfiguration()


class TwinExchange(Exchange):
    """Answers from ``zone``: (name, type) -> lines of records; asked names are kept. ``lost``: names never answered."""

    def __init__(self, zone: dict[tuple[str, str], list[tuple[str, str, str]]], lost: tuple[str, ...] = ()) -> None:
        self.zone, self.lost = zone, lost
        self.asked: list[tuple[str, str]] = []

    async def ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Answer:
        key = (name.to_text(omit_final_dot=True), dns.rdatatype.to_text(kind))
        self.asked.append(key)
        if key[0] in self.lost:
            return Answer()
        message = dns.message.make_response(dns.message.make_query(name, kind))
        for owner, record_kind, value in self.zone.get(key, []):
            rrset = message.find_rrset(
                message.answer,
                dns.name.from_text(owner),
                dns.rdataclass.IN,
                dns.rdatatype.from_text(record_kind),
                create=True,
            )
            rrset.update(dns.rrset.from_text(owner, 60, "IN", record_kind, value))
        return Answer(message, True)


def run(scene: Awaitable[Result]) -> Result:
    async def wrapped() -> Result:
        return await scene

    return asyncio.run(wrapped())


def records(owner: str, kind: str, *values: str) -> list[tuple[str, str, str]]:
    return [(owner, kind, value) for value in values]


@pytest.mark.parametrize(
    ("name", "search", "dots", "tried"),
    [
        ("www", (), 1, ["www"]),
        ("www", ("a.test", "b.test"), 1, ["www.a.test", "www.b.test", "www"]),
        ("www.x", ("a.test",), 1, ["www.x", "www.x.a.test"]),
        ("www.x", ("a.test",), 2, ["www.x.a.test", "www.x"]),
        ("www.", ("a.test",), 1, ["www"]),
        (".".join(["x" * 62] * 4), ("a.test",), 1, [".".join(["x" * 62] * 4)]),
    ],
)
def test_candidates(name: str, search: tuple[str, ...], dots: int, tried: list[str]) -> None:
    names = candidates(name, ResolverConfiguration((), search, dots))
    assert [tried_name.to_text(omit_final_dot=True) for tried_name in names] == tried


def test_both_families_are_asked_and_joined() -> None:
    exchange = TwinExchange(
        {
            ("h.test", "A"): records("h.test", "A", "10.0.0.1"),
            ("h.test", "AAAA"): records("h.test", "AAAA", "2001:db8::1"),
        }
    )
    found = run(addresses_of(exchange, "h.test", BOTH, PLAIN))
    assert found == ((ip_address("10.0.0.1"), ip_address("2001:db8::1")), True)
    assert run(addresses_of(exchange, "h.test", frozenset({6}), PLAIN)) == ((ip_address("2001:db8::1"),), True)


def test_the_first_candidate_with_an_address_wins() -> None:
    exchange = TwinExchange({("h.b.test", "A"): records("h.b.test", "A", "10.0.0.2")})
    configuration = ResolverConfiguration((), ("a.test", "b.test", "c.test"), 1)
    assert run(addresses_of(exchange, "h", frozenset({4}), configuration)) == ((ip_address("10.0.0.2"),), True)
    assert exchange.asked == [("h.a.test", "A"), ("h.b.test", "A")]


def test_a_lost_question_leaves_doubt() -> None:
    exchange = TwinExchange({}, lost=("h.test",))
    assert run(addresses_of(exchange, "h.test", BOTH, PLAIN)) == ((), False)
    assert run(addresses_of(exchange, "gone.test", BOTH, PLAIN)) == ((), True)


def test_aliases_are_followed_inside_the_answer() -> None:
    chain = [*records("h.test", "CNAME", "x.test."), *records("x.test", "A", "10.0.0.3")]
    exchange = TwinExchange({("h.test", "A"): chain})
    assert run(addresses_of(exchange, "h.test", frozenset({4}), PLAIN))[0] == (ip_address("10.0.0.3"),)


@pytest.mark.parametrize(
    "answer",
    [
        records("other.test", "A", "6.6.6.6"),
        [*records("h.test", "CNAME", "x.test."), *records("x.test", "CNAME", "h.test.")],
        records("h.test", "CNAME", "x.test."),
        [line for i in range(40) for line in records(f"{'h' if i == 0 else i}.test", "CNAME", f"{i + 1}.test.")],
    ],
)
def test_answers_that_answer_nothing(answer: list[tuple[str, str, str]]) -> None:
    exchange = TwinExchange({("h.test", "A"): answer})
    assert run(addresses_of(exchange, "h.test", frozenset({4}), PLAIN))[0] == ()


def test_a_name_has_only_so_many_addresses() -> None:
    many = records("h.test", "A", *(f"10.0.{i >> 8}.{i & 255}" for i in range(400)))
    found, _ = run(addresses_of(TwinExchange({("h.test", "A"): many}), "h.test", frozenset({4}), PLAIN))
    assert len(found) == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["host.test."], "host.test"),
        (["bad\\010name.test."], ""),
        (["sp\\032ace.test."], ""),
        (["."], ""),
        ([], ""),
    ],
)
def test_pointers(values: list[str], name: str) -> None:
    owner = "4.3.2.10.in-addr.arpa"
    exchange = TwinExchange({(owner, "PTR"): records(owner, "PTR", *values)})
    assert run(name_of(exchange, ip_address("10.2.3.4"))) == name


def test_pointers_behind_an_alias() -> None:
    owner = "4.3.2.10.in-addr.arpa"
    chain = [
        *records(owner, "CNAME", "4.0-63.2.10.in-addr.arpa."),
        *records("4.0-63.2.10.in-addr.arpa", "PTR", "h.test."),
    ]
    assert run(name_of(TwinExchange({(owner, "PTR"): chain}), ip_address("10.2.3.4"))) == "h.test"


async def _doubled(exchange: Exchange, key: int) -> int:
    await asyncio.sleep(0)
    return 2 * key


async def _hang(exchange: Exchange, key: int) -> int:
    if key:
        await asyncio.sleep(3600)
    return 1


async def _fail(exchange: Exchange, key: int) -> int:
    raise ZeroDivisionError


def test_all_keys_are_looked_up_and_empty_answers_left_out() -> None:
    assert look_up_all({}, range(1000), _doubled, lambda: False) == {key: 2 * key for key in range(1, 1000)}


def test_stop_gives_what_is_known() -> None:
    looks = iter([False, False, True])
    assert look_up_all({}, range(1000), _hang, lambda: next(looks)) == {0: 1}


def test_our_own_mistakes_are_not_hidden() -> None:
    never: Callable[[], bool] = lambda: False  # noqa: E731
    with pytest.raises(ZeroDivisionError):
        look_up_all({}, [1], _fail, never)
