"""Which ports of a host are told one by one, and which are kept as ranges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import numpy as np

from leadline.model.plan import Plan
from leadline.model.port import MAYBE_OPEN, Port, PortState, PortSummary, Protocol, Reason
from leadline.model.quick_dataclass import dataclass
from leadline.ports.result import OPEN_ONLY, ServiceNames, ranges_of


@dataclass(frozen=True, slots=True)
class Listing:
    """``names``: of services. ``materialised`` and ``apart``: as ``ports.result.PortColumns`` takes them."""

    names: ServiceNames
    materialised: int
    apart: Collection[PortState]


def listing_of(plan: Plan, names: ServiceNames) -> Listing:
    """The reports list at most so many ports of one state one by one (spec sheet 6.1; -d3 lists all); version
    detection wants those that may be open.
    """
    output = plan.output
    materialised = 25 * (output.verbosity + 1 + 20 * output.debugging) if output.debugging < 3 else 65_536
    return Listing(names, materialised, MAYBE_OPEN if plan.services.enabled else OPEN_ONLY)


def listed(
    found: Mapping[tuple[PortState, Reason], Iterable[int]], port_of: Callable[[int], Port], listing: Listing
) -> tuple[tuple[Port, ...], tuple[PortSummary, ...]]:
    """TCP ports that were found in each state for each reason; ``port_of`` makes those that are told one by one.

    The ports are ascending. ``PortColumns.of_host`` does the same with columns.
    """
    ports: list[Port] = []
    summaries: list[PortSummary] = []
    for (state, reason), given in found.items():
        numbers = sorted(given)
        if len(numbers) > listing.materialised and state not in listing.apart:
            ranges = ranges_of(np.array(numbers, dtype=np.int64))
            summaries.append(PortSummary(Protocol.TCP, state, reason, ranges, len(numbers)))
        else:
            ports.extend(map(port_of, numbers))
    return tuple(sorted(ports, key=lambda port: port.number)), tuple(summaries)
