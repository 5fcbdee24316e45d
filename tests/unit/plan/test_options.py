"""Options are plain: nothing asked for is the default of everything."""

from dataclasses import fields

import pytest

from leadline.plan.options import Options, PingRequest


def test_nothing_asked_for() -> None:
    options = Options()
    for each in fields(options):
        assert not getattr(options, each.name), each.name


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        Options().targets = ("x",)  # type: ignore[misc]


def test_ping_request_has_default_ports() -> None:
    assert PingRequest("tcp-syn") == PingRequest("tcp-syn", "")
