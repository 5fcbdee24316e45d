import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import pytest

from leadline.errors import UsageError
from leadline.model.address import Address
from leadline.model.event import Notice, TargetSkipped
from leadline.model.plan import TargetPlan
from leadline.model.port import Protocol
from leadline.model.target import TargetBlock
from leadline.targets.source import TargetSource
from tests.support.twin_resolver import TwinResolver

NAMES = {
    "one.example": ("10.1.0.1",),
    "two.example": ("10.2.0.1", "10.2.0.2", "2001:db8::2"),
    "six.example": ("2001:db8::6",),
}


def files(contents: dict[str, str]) -> Callable[[str, Callable[[], bool]], Iterable[str]]:
    return lambda path, stop: contents[path].splitlines(keepends=True)


def source(
    *expressions: str, lists: dict[str, str] | None = None, resolver: TwinResolver | None = None, **plan: object
) -> TargetSource:
    lists = lists or {}
    return TargetSource(
        TargetPlan(expressions=expressions, **plan),  # type: ignore[arg-type]
        resolver or TwinResolver(NAMES),
        None,
        b"sixteen key bytes",
        files(lists),
    )


def addresses(stream: Iterable[TargetBlock | TargetSkipped]) -> list[str]:
    return [str(part.address(i)) for part in stream if isinstance(part, TargetBlock) for i in range(len(part))]


def skipped(stream: Iterable[TargetBlock | TargetSkipped]) -> list[tuple[str, str]]:
    return [(part.expression, part.reason) for part in stream if isinstance(part, TargetSkipped)]


def scan(*expressions: str, **plan: object) -> list[str]:
    return addresses(source(*expressions, **plan).blocks(4))  # type: ignore[arg-type]


def test_targets_come_in_the_order_typed() -> None:
    assert scan("10.0.0.1", "10.0.0.4/31", "10.0.0.1-2,7") == [
        *("10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.1", "10.0.0.2", "10.0.0.7"),
    ]


def test_blocks_are_full_and_of_one_family() -> None:
    blocks = list(source("10.0.0.0/29", "::1", "10.0.0.9", "::2").blocks(4))
    assert all(isinstance(block, TargetBlock) for block in blocks)
    assert [(block.family, len(block)) for block in blocks if isinstance(block, TargetBlock)] == [
        *((4, 4), (4, 4), (4, 1), (6, 2)),
    ]


def test_a_huge_range_costs_nothing_and_starts_at_once() -> None:
    tracemalloc.start()
    for expression in ("10.0.0.0/8", "10.*.*.1-9", "::/0"):
        for randomize in (False, True):
            stream = source(expression, randomize=randomize).blocks(4096)
            assert len(next(stream)) == 4096  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def test_names_are_resolved_together_and_ahead() -> None:
    resolver = TwinResolver(NAMES)
    stream = source("10.0.0.1", "one.example", "10.0.0.2", "two.example", "one.example", resolver=resolver).blocks(8)
    (block,) = stream
    assert isinstance(block, TargetBlock)
    assert addresses([block]) == ["10.0.0.1", "10.1.0.1", "10.0.0.2", "10.2.0.1", "10.1.0.1"]
    assert block.names == {1: "one.example", 3: "two.example", 4: "one.example"}
    assert [str(address) for address in block.others[3]] == ["10.2.0.2", "2001:db8::2"]
    assert resolver.asked == [["one.example", "two.example"]]


def test_addresses_before_a_name_do_not_wait_for_it() -> None:
    resolver = TwinResolver(NAMES)
    stream = source("10.0.0.0/28", "one.example", resolver=resolver).blocks(4)
    next(stream)
    assert resolver.asked == []


def test_many_names_are_asked_in_batches() -> None:
    resolver = TwinResolver(NAMES)
    names = tuple(f"host{i}.example" for i in range(600))
    stream = list(source(*names, resolver=resolver).blocks(4))
    assert [len(asked) for asked in resolver.asked] == [256, 256, 88]
    assert skipped(stream) == [(name, "unresolvable") for name in names]


@pytest.mark.parametrize(
    ("expression", "plan", "expected"),
    [
        ("two.example", {}, ["10.2.0.1"]),
        ("two.example", {"prefer_v6": True}, ["2001:db8::2"]),
        ("two.example", {"families": frozenset({6})}, ["2001:db8::2"]),
        ("two.example", {"resolve_all": True}, ["10.2.0.1", "10.2.0.2", "2001:db8::2"]),
        ("two.example", {"resolve_all": True, "families": frozenset({4})}, ["10.2.0.1", "10.2.0.2"]),
        ("two.example/30", {}, ["10.2.0.0", "10.2.0.1", "10.2.0.2", "10.2.0.3"]),
        ("two.example/127", {}, ["2001:db8::2", "2001:db8::3"]),
        ("six.example", {}, ["2001:db8::6"]),
    ],
)
def test_which_address_of_a_name(expression: str, plan: dict[str, object], expected: list[str]) -> None:
    assert sorted(scan(expression, **plan)) == expected


@pytest.mark.parametrize(
    ("expression", "plan", "reason"),
    [
        ("gone.example", {}, "unresolvable"),
        ("six.example", {"families": frozenset({4})}, "unresolvable"),
        ("one.example/64", {}, "no address has a prefix of 64 bits"),
        ("::1", {"families": frozenset({4})}, "IPv6 is not scanned"),
        ("10.0.0.1", {"families": frozenset({6})}, "IPv4 is not scanned"),
        ("10.0.0.1", {"exclude": ("10.0.0.0/8",)}, "excluded"),
    ],
)
def test_what_gives_no_target_is_told(expression: str, plan: dict[str, object], reason: str) -> None:
    stream = list(source(expression, "10.200.0.1" if 4 in plan.get("families", {4}) else "::9", **plan).blocks(4))  # type: ignore[arg-type, operator]
    assert (expression, reason) in skipped(stream)


def test_ports_scopes_and_names_of_single_targets() -> None:
    (four, six) = source("10.0.0.1", "10.0.0.2:80,U:53", "[fe80::1%eth0]:22", "one.example:ssh").blocks(8)
    assert isinstance(four, TargetBlock)
    assert isinstance(six, TargetBlock)
    assert four.port_sets[1].ports == {Protocol.TCP: (80,), Protocol.UDP: (53,)}
    assert four.port_sets[2].ports == {Protocol.TCP: (22,)}
    assert set(four.port_sets) == {1, 2}
    assert six.scopes == {0: "eth0"}
    assert six.port_sets[0].ports == {Protocol.TCP: (22,)}


def test_all_mistakes_of_the_command_line_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        source("10.0.0.300", "10.0.0.1", "a..b", "10.0.0.1:0-99999")
    assert len(caught.value.messages) == 3


def test_lists_are_read_lazily_and_wrong_lines_are_skipped() -> None:
    read: list[str] = []

    def endless(path: str, stop: Callable[[], bool]) -> Iterator[str]:
        yield "10.9.0.300 # wrong\n"
        for number in range(1 << 30):
            read.append(path)
            yield f"10.0.{number % 256}.1 10.0.{number % 256}.2\n"

    plan = TargetPlan(input_files=("list",))
    targets = TargetSource(plan, TwinResolver({}), None, b"key", endless)
    stream = targets.blocks(4)
    assert skipped([next(stream)]) == [("10.9.0.300", 'Target "10.9.0.300" has the octet 300; an octet ends at 255.')]
    assert addresses(islice(stream, 2)) == [f"10.0.{i}.{j}" for i in range(4) for j in (1, 2)]
    assert len(read) < 100


def test_typed_targets_come_before_lists() -> None:
    targets = source("10.0.0.1", lists={"a": "10.0.0.2 one.example", "b": "10.0.0.3"}, input_files=("a", "b"))
    assert addresses(targets.blocks(9)) == ["10.0.0.1", "10.0.0.2", "10.1.0.1", "10.0.0.3"]


def test_exclusions_from_options_and_files() -> None:
    left = addresses(
        source(
            "10.0.0.0/28",
            "10.0.1.1-4",
            lists={"no": "10.0.0.2-9 # these\none.example"},
            exclude=("10.0.0.0", "10.0.0.12/30", "*.*.*.3"),
            exclude_files=("no",),
        ).blocks(4)
    )
    assert left == ["10.0.0.1", "10.0.0.10", "10.0.0.11", "10.0.1.1", "10.0.1.2", "10.0.1.4"]


def test_octet_patterns_keep_exclusions_too() -> None:
    assert scan("10.0.0,2.1,3", exclude=("10.0.2.0/24", "10.0.0.3")) == ["10.0.0.1"]


def test_an_exclusion_that_does_not_resolve_is_fatal_before_any_block() -> None:
    with pytest.raises(UsageError, match="does not resolve"):
        next(source("10.0.0.1", exclude=("gone.example",)).blocks(4))


def test_duplicates_stay_unless_unique_is_asked() -> None:
    typed = ("10.0.0.2", "10.0.0.0/30", "10.0.0.1-4", "10.0.0,2.1,3", "10.0.2.0/30", "10.0.0.2")
    typed += ("::1", "::1", "10.0.0,2.1,3")
    assert len(scan(*typed)) == 1 + 4 + 4 + 4 + 4 + 1 + 2 + 4
    once = scan(*typed, unique=True)
    assert len(once) == len(set(once))
    assert set(once) == set(scan(*typed))
    assert once[:4] == ["10.0.0.2", "10.0.0.0", "10.0.0.1", "10.0.0.3"]


def test_unique_with_wide_patterns() -> None:
    stream = source("*.*.*.1", "0.0.0.0/29", "*.*.*.1", unique=True).blocks(4096)
    first = addresses([next(stream)])
    assert first[:2] == ["0.0.0.1", "0.0.1.1"]
    last = source("0.0.0.0/29", "10.0.0.1", "*.*.*.1", unique=True)
    assert addresses(islice(last.blocks(8), 2))[:12] == [
        *(f"0.0.0.{i}" for i in range(8)),
        *("10.0.0.1", "0.0.1.1", "0.0.2.1", "0.0.3.1"),
    ]


def test_randomize_shuffles_the_whole_list() -> None:
    typed = ("10.0.0.0/24", "10.0.1.1,3-9", "one.example", "2001:db8::/124")
    plain, mixed = scan(*typed), scan(*typed, randomize=True)
    assert sorted(mixed) == sorted(plain)
    assert mixed != plain
    assert len({address.rsplit(".", 1)[0] for address in mixed[:100]}) > 1
    assert scan(*typed, randomize=True) == mixed


def test_a_seed_fixes_the_order_whatever_the_key() -> None:
    plan = TargetPlan(expressions=("10.0.0.0/24",), randomize=True, seed=7)
    first, second = (
        addresses(TargetSource(plan, TwinResolver({}), None, key, files({})).blocks(64)) for key in (b"a", b"b")
    )
    assert first == second
    other = addresses(source("10.0.0.0/24", randomize=True, seed=8).blocks(64))
    assert first != other


def test_names_keep_their_place_when_shuffled() -> None:
    blocks = list(source("10.0.0.0/27", "one.example", "10.0.1.0/27:80", randomize=True).blocks(16))
    named = [
        (str(block.address(row)), name)
        for block in blocks
        if isinstance(block, TargetBlock)
        for row, name in block.names.items()
    ]
    assert named == [("10.1.0.1", "one.example")]
    ported = {str(block.address(row)) for block in blocks if isinstance(block, TargetBlock) for row in block.port_sets}
    assert ported == {f"10.0.1.{i}" for i in range(32)}


def test_random_targets() -> None:
    targets = source("10.0.0.1", random=5000)
    found = addresses(targets.blocks(1000))
    assert found[0] == "10.0.0.1"
    assert len(found) == len(set(found)) == 5001
    assert len(addresses(islice(source(random=0).blocks(1000), 80))) == 80000


def test_random_targets_respect_exclusions() -> None:
    assert all(int(address.split(".")[0]) >= 128 for address in scan(random=200, exclude=("0.0.0.0/1",)))


def test_random_targets_need_ipv4() -> None:
    stream = list(source(random=5, families=frozenset({6})).blocks(4))
    assert skipped(stream) == [("-iR", "random targets are IPv4 addresses, which are not scanned")]


def test_stop_ends_the_stream() -> None:
    stopped = False
    plan = TargetPlan(expressions=("10.0.0.0/8", "one.example"), randomize=True)
    resolver = TwinResolver(NAMES)
    stream = TargetSource(plan, resolver, None, b"k", files({}), stop=lambda: stopped).blocks(4)
    assert len(list(islice(stream, 2))) == 2
    stopped = True
    assert len(list(stream)) == 0
    stopped_early = TargetSource(plan, resolver, None, b"k", files({}), stop=lambda: True).blocks(4)
    assert list(stopped_early) == []


def test_stop_during_the_look_up_of_names_gives_none_of_them() -> None:
    stopped = False

    class Stopping(TwinResolver):
        def forward(
            self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
        ) -> dict[str, tuple[Address, ...]]:
            nonlocal stopped
            stopped = True
            return super().forward(names, families, stop)

    plan = TargetPlan(expressions=("one.example", "10.0.0.1"))
    assert list(TargetSource(plan, Stopping(NAMES), None, b"k", files({}), stop=lambda: stopped).blocks(4)) == []


def test_stop_within_a_shuffled_range_ends_it() -> None:
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > 3

    plan = TargetPlan(expressions=("10.0.0.0/16",), randomize=True)
    found = addresses(TargetSource(plan, TwinResolver(NAMES), None, b"k", files({}), stop=stop).blocks(16))
    assert 0 < len(found) < 200


def test_what_is_left_out_of_a_large_range_is_told_once() -> None:
    notices = [part for part in source("192.0.0.0/8", "192.0.0.0/8").blocks(1 << 20) if isinstance(part, Notice)]
    assert [notice.level for notice in notices] == ["warning"]
    assert notices[0].text.startswith("192.0.0.0/8 is scanned without the special-purpose addresses")
    other = [part for part in source("192.0.0.0/8", "192-193.0.0.0/8").blocks(1 << 20) if isinstance(part, Notice)]
    assert len(other) == 2
