from collections.abc import Callable, Sequence
from ipaddress import ip_address

import numpy as np
import pytest

from leadline.errors import UsageError
from leadline.model.ip import Address
from leadline.targets.exclude import exclusions
from tests.support.twin_resolver import TwinResolver

RESOLVER = TwinResolver({"two.example": ("10.1.0.9", "2001:db8::9")})


def never() -> bool:
    return False


def excluded(expressions: Sequence[str], address: str) -> bool:
    built = exclusions(expressions, RESOLVER, never)
    value = int(ip_address(address))
    hi, lo = np.array([value >> 64], np.uint64), np.array([value & ((1 << 64) - 1)], np.uint64)
    return bool(built.contains(ip_address(address).version, hi, lo)[0])


@pytest.mark.parametrize(
    ("expression", "address", "is_excluded"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.0/8", "10.255.255.255", True),
        ("10.0.0.0/8", "11.0.0.0", False),
        ("*.*.*.1", "77.7.7.1", True),
        ("*.*.*.1", "77.7.7.2", False),
        ("2001:db8::/64", "2001:db8::ffff", True),
        ("::/0", "10.0.0.1", False),
        ("two.example", "10.1.0.9", True),
        ("two.example", "2001:db8::9", True),
        ("two.example", "10.1.0.8", False),
        ("two.example/24", "10.1.0.8", True),
        ("two.example/64", "2001:db8::77", True),
        ("two.example/64", "10.1.0.8", False),
    ],
)
def test_what_is_excluded(expression: str, address: str, is_excluded: bool) -> None:
    assert excluded([expression], address) is is_excluded


def test_nothing_is_asked_without_names() -> None:
    class Refusing:
        def forward(
            self, names: Sequence[str], families: frozenset[int], stop: Callable[[], bool]
        ) -> dict[str, tuple[Address, ...]]:
            raise AssertionError("asked")

        def reverse(self, addresses: Sequence[Address], stop: Callable[[], bool]) -> dict[Address, str]:
            raise AssertionError("asked")

    assert exclusions(["10.0.0.1"], Refusing(), never)
    assert not exclusions([], Refusing(), never)


def test_what_is_not_understood_is_fatal_and_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        exclusions(["10.0.0.300", "gone.example", "10.0.0.1:80", "two.example"], RESOLVER, never)
    assert len(caught.value.messages) == 3
    assert any('"gone.example" does not resolve' in message for message in caught.value.messages)
    assert any("no ports of its own" in message for message in caught.value.messages)
    assert all(message.startswith("--exclude: ") for message in caught.value.messages)


def test_a_stop_while_names_resolve_is_no_mistake() -> None:
    assert not exclusions(["gone.example"], RESOLVER, lambda: True)
