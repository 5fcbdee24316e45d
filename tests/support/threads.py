"""What other threads do in the background, waited for."""

from __future__ import annotations

import threading


def wait_for_closing() -> None:
    """Until the kernel has closed the links that were given up (``SocketLink.close``)."""
    for thread in threading.enumerate():
        if thread.name == "link":
            thread.join(10)
