"""What the outside may ask of a running scan: stop, or tell how far it is."""

from __future__ import annotations


class Control:
    """Set from signal handlers and key presses, read by every loop (plain attributes: no lock is needed).

    ``stop``: why the scan shall end early (``SIGINT``, ``SIGTERM`` ...), empty while it may go on.
    ``packet_trace``: every packet gives an event (may change at any time). ``status_requested``: the next loop
    gives a ``TaskProgress`` event and clears it.
    """

    __slots__ = ("packet_trace", "status_requested", "stop")

    def __init__(self) -> None:
        self.stop = ""
        self.packet_trace = False
        self.status_requested = False

    def stopping(self) -> bool:
        """True once the scan shall end."""
        return bool(self.stop)
