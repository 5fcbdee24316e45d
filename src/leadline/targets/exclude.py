"""What must not be scanned: ``--exclude`` and ``--excludefile`` become one set of addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from leadline.errors import UsageError
from leadline.model.port_set import PortSet
from leadline.net.base import Resolver
from leadline.targets.address_set import AddressSet
from leadline.targets.spec import Named, block_around, parse_target

_BOTH = frozenset({4, 6})


def exclusions(expressions: Iterable[str], resolver: Resolver, stop: Callable[[], bool]) -> AddressSet:
    """The set of all addresses that the expressions name; a name means every address it has, of both families.

    Raises ``UsageError``, one sentence for each expression that is wrong or does not resolve: an exclusion that is not
    understood must never be scanned instead. Once ``stop`` says so, the set is not complete and nothing is raised:
    nothing is to be scanned any more.
    """
    excluded = AddressSet()
    named: list[tuple[str, Named]] = []
    mistakes: list[str] = []
    for expression in expressions:
        try:
            shape = parse_target(expression, _no_ports).shape
        except UsageError as error:
            mistakes.extend(f"--exclude: {message}" for message in error.messages)
            continue
        if isinstance(shape, Named):
            named.append((expression, shape))
        else:
            excluded.add(shape)
    answers = resolver.forward(list(dict.fromkeys(shape.name for _, shape in named)), _BOTH, stop) if named else {}
    for expression, shape in named:
        addresses = answers.get(shape.name, ())
        if not addresses:
            mistakes.append(f'--exclude: "{expression}" does not resolve, so what it excludes is not known.')
        for address in addresses:
            width = address.max_prefixlen
            bits = width if shape.bits is None else min(shape.bits, width)
            excluded.add(block_around(address.version, int(address), bits))
    if mistakes and not stop():
        raise UsageError(*mistakes)
    return excluded


def _no_ports(text: str) -> PortSet:
    raise UsageError(f'An exclusion has no ports of its own (":{text}"); --exclude-ports leaves out ports.')
