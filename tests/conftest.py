"""For every test: needs are checked, tests that load the whole machine go one by one, CI is repeatable."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.support.needs import require

os.environ["PATH"] += ":/usr/sbin:/sbin"

# In the background of a script, or by nohup, these are ignored, by us and by all that we start: tests send them.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a network stay together: one worker makes the namespaces of a file (and lab) once."""
    for item in items:
        if item.get_closest_marker("netns") or item.get_closest_marker("peers"):
            call = getattr(item, "callspec", None)
            lab = call.params.get("lab", "") if call else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {lab}"))


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    for marker in ("netns", "peers"):
        if request.node.get_closest_marker(marker):
            require(marker)
