"""The type of one address, apart from the columns so that a plan can be made without loading numpy.

``-V``, ``--help`` and every mistake on the command line must answer at once; numpy alone costs more than all
else there.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
