"""A plan can be made without numpy."""

import subprocess
import sys
from ipaddress import ip_address

from leadline.model import address, ip


def test_the_alias_is_one_and_the_same() -> None:
    assert address.Address is ip.Address
    assert isinstance(ip_address("::1"), ip.Address)
    assert isinstance(ip_address("10.0.0.1"), ip.Address)


def test_the_plan_needs_no_numpy() -> None:
    code = "import leadline.model.plan, sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
