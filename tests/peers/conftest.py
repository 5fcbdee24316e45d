"""Everything here scans the same targets with Nmap and with Leadline, on networks that the test makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.netns import Lab, on_link_lab, routed_lab
from tests.support.watched import Bench, watched_bench

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this folder."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.peers)


@pytest.fixture(scope="module", params=["on-link", "routed"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Scanner and target on one cable, then with a router between them; no firewall, no servers yet."""
    make = on_link_lab if request.param == "on-link" else routed_lab
    with make() as made:
        yield made


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A lab for each scanner, whose packets are watched."""
    with watched_bench(tmp_path_factory.mktemp("frames")) as made:
        yield made
