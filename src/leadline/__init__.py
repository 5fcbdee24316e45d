"""Leadline: a network scanner that explains every answer it gives.

``scan(targets, ...)`` prepares a scan: iterate over it for events (``for`` or ``async for``), or call ``hosts()``.
``scan_hosts(targets, ...)`` scans and gives the hosts. Events and values are in ``leadline.model``, a network to test
against in ``leadline.sim``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadline.errors import DataError, LinkError, NetworkError, PrivilegeError, ScanError, ScriptError, UsageError

if TYPE_CHECKING:
    from leadline.api import Scan, scan, scan_hosts
    from leadline.model.event import Event, HostDone, HostFound, PortFound, ScanEnded, ScanStarted
    from leadline.model.host import Host, HostStatus
    from leadline.model.plan import Plan
    from leadline.model.port import Port, PortState, Protocol, Reason
    from leadline.model.service import Service
    from leadline.plan.options import PingRequest

__version__ = "0.1.0"

# Where each public name lives; loaded when first asked for, so that ``leadline -V`` and ``--help`` load nothing.
_HOMES = {
    "Event": "leadline.model.event",
    "Host": "leadline.model.host",
    "HostDone": "leadline.model.event",
    "HostFound": "leadline.model.event",
    "HostStatus": "leadline.model.host",
    "PingRequest": "leadline.plan.options",
    "Plan": "leadline.model.plan",
    "Port": "leadline.model.port",
    "PortFound": "leadline.model.event",
    "PortState": "leadline.model.port",
    "Protocol": "leadline.model.port",
    "Reason": "leadline.model.port",
    "Scan": "leadline.api",
    "ScanEnded": "leadline.model.event",
    "ScanStarted": "leadline.model.event",
    "Service": "leadline.model.service",
    "scan": "leadline.api",
    "scan_hosts": "leadline.api",
}

__all__ = [
    "DataError",
    "Event",
    "Host",
    "HostDone",
    "HostFound",
    "HostStatus",
    "LinkError",
    "NetworkError",
    "PingRequest",
    "Plan",
    "Port",
    "PortFound",
    "PortState",
    "PrivilegeError",
    "Protocol",
    "Reason",
    "Scan",
    "ScanEnded",
    "ScanError",
    "ScanStarted",
    "ScriptError",
    "Service",
    "UsageError",
    "__version__",
    "scan",
    "scan_hosts",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'leadline' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
