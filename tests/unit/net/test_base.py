import inspect

import pytest

from leadline.net.base import Resolver
from leadline.net.resolve import DnsResolver, SystemResolver
from tests.support.twin_resolver import TwinResolver


@pytest.mark.parametrize("kind", [DnsResolver, SystemResolver, TwinResolver])
@pytest.mark.parametrize("method", ["forward", "reverse"])
def test_every_resolver_has_the_protocol_s_methods(kind: type, method: str) -> None:
    assert inspect.signature(getattr(kind, method)) == inspect.signature(getattr(Resolver, method))
