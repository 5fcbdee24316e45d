"""Keeping every frame of a scan: a ``Link`` around a ``Link``, a ``Network`` around a ``Network``.

Whatever the inner one is (rings, raw sockets, the simulator), the pcapng file gets all frames that it took and gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from leadline.link.base import CaptureFilter, Clock, Connector, Interface, Link, Network, RoutedTargets, Source
from leadline.model.address import U64, Address
from leadline.wire.batch import FrameBatch
from leadline.wire.pcapng import INBOUND, LINKTYPE_ETHERNET, LINKTYPE_RAW, OUTBOUND, Writer

if TYPE_CHECKING:
    from leadline.model.plan import PacketShape, Proxy
    from leadline.net.base import Dialer


class Recording:
    """One pcapng file and the interfaces it knows.

    A file that cannot be written any more ends the recording, never the scan; ``problem`` then says why in a sentence.
    """

    def __init__(self, file: BinaryIO, clock: Clock) -> None:
        self.problem = ""
        self._file = file
        self._clock = clock
        self._numbers: dict[str, int] = {}
        # The time at which the scan's clock was zero, fixed once so that the order of frames never turns.
        self._zero = clock.epoch() - clock.now()
        self._writer: Writer | None = None
        try:
            self._writer = Writer(file)
        except OSError as error:
            self._failed(error)

    def keep(self, interface: Interface, batch: FrameBatch, direction: int) -> None:
        """Write the frames of one batch; its ``times`` are seconds on the scan's clock."""
        if self._writer is None or not len(batch):
            return
        try:
            number = self._number(self._writer, interface)
            self._writer.write_batch(number, batch, self._zero, direction)
        except OSError as error:
            self._failed(error)

    def _number(self, writer: Writer, interface: Interface) -> int:
        if interface.name not in self._numbers:
            linktype = LINKTYPE_ETHERNET if interface.link_header else LINKTYPE_RAW
            self._numbers[interface.name] = writer.add_interface(interface.name, linktype)
        return self._numbers[interface.name]

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        if self._writer is None:
            return
        try:
            self._file.flush()
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Flush and close the file. Closing twice is fine."""
        if self._file.closed:
            return
        self.flush()
        self._writer = None
        with suppress(OSError):  # what could not be flushed is tried once more; told already
            self._file.close()

    def _failed(self, error: OSError) -> None:
        self._writer = None
        name = getattr(self._file, "name", "the recording")
        self.problem = f"Cannot write to {name}: {error.strerror}; this output ends here."


class RecordedLink:
    """A link whose frames are kept as well: those taken for sending (with the time of the call) and those received."""

    def __init__(self, inner: Link, recording: Recording, clock: Clock) -> None:
        self.interface = inner.interface
        self.statistics = inner.statistics
        self._inner = inner
        self._recording = recording
        self._clock = clock

    def send(self, batch: FrameBatch) -> int:
        """See ``Link.send``."""
        now = self._clock.now()
        taken = self._inner.send(batch)
        if taken:
            sent = FrameBatch(batch.frames[:taken], batch.lengths[:taken], np.full(taken, now), batch.offset)
            self._recording.keep(self.interface, sent, OUTBOUND)
        return taken

    def receive(self) -> FrameBatch:
        """See ``Link.receive``."""
        batch = self._inner.receive()
        self._recording.keep(self.interface, batch, INBOUND)
        return batch

    def wait(self, timeout: float) -> None:
        """See ``Link.wait``."""
        self._inner.wait(timeout)

    @property
    def descriptor(self) -> int:
        """See ``Source.descriptor``."""
        return self._inner.descriptor

    def next_look(self, until: float) -> float:
        """See ``Source.next_look``."""
        return self._inner.next_look(until)

    def close(self) -> None:
        """Close the inner link and flush the file, which stays open."""
        self._inner.close()
        self._recording.flush()


class RecordedNetwork:
    """A network whose links are all recorded into one file. The packets of connections and of dialogues
    are the kernel's: not kept.
    """

    def __init__(self, inner: Network, file: BinaryIO) -> None:
        self.clock = inner.clock
        self._inner = inner
        self._recording = Recording(file, inner.clock)

    @property
    def problem(self) -> str:
        """Why the recording broke off, in a sentence; empty while it works."""
        return self._recording.problem

    def close(self) -> None:
        """Close the file."""
        self._recording.close()

    def interfaces(self) -> list[Interface]:
        """See ``Network.interfaces``."""
        return self._inner.interfaces()

    def boundaries(self, family: int) -> list[int]:
        """See ``Network.boundaries``."""
        return self._inner.boundaries(family)

    def routes(self, family: int, hi: U64, lo: U64, scopes: dict[int, str]) -> RoutedTargets:
        """See ``Network.routes``."""
        return self._inner.routes(family, hi, lo, scopes)

    def can_send_raw(self) -> bool:
        """See ``Network.can_send_raw``."""
        return self._inner.can_send_raw()

    def open_link(self, interface: Interface, capture: CaptureFilter) -> Link:
        """See ``Network.open_link``."""
        return RecordedLink(self._inner.open_link(interface, capture), self._recording, self.clock)

    def rest(self, sources: Sequence[Source], until: float) -> None:
        """See ``Network.rest``."""
        self._inner.rest(sources, until)

    def neighbor(self, interface: Interface, address: Address) -> bytes | None:
        """See ``Network.neighbor``."""
        return self._inner.neighbor(interface, address)

    def connector(
        self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None
    ) -> Connector:
        """See ``Network.connector``."""
        return self._inner.connector(limit, proxies, shape)

    def dialer(self, limit: int | None, proxies: tuple[Proxy, ...] = (), shape: PacketShape | None = None) -> Dialer:
        """See ``Network.dialer``."""
        return self._inner.dialer(limit, proxies, shape)
