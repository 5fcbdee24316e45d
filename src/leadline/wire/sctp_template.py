"""SCTP probes in columns: a packet with one chunk is prepared once, then ports, tags and checksums are patched."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.model.address import U64
from leadline.wire.batch import FrameBatch
from leadline.wire.crc32c import adler32_rows, crc32c_rows
from leadline.wire.sctp import COOKIE_ECHO, HEADER_BYTES, INIT, PROTOCOL, Chunk, Init
from leadline.wire.template import Fields, Framing, Integers, Packet, Source

# Spec sheet 2.9: the window and the streams that Nmap's INIT offers; its cookie has four bytes.
INIT_CHUNK = Chunk(INIT, value=Init(0, 32_768, 10, 2_048, 0).emit())
COOKIE_ECHO_CHUNK = Chunk(COOKIE_ECHO, value=bytes(4))


class SctpTemplate:
    """Packets with one ``chunk`` (RFC 9260 section 3); ``adler``: checksums as in RFC 2960.

    Patched in the chunk, where it is long enough: its first word (the initiate tag of INIT and INIT-ACK, the start of
    a cookie) and its fourth one (the initial TSN).
    """

    def __init__(self, framing: Framing, chunk: Chunk, adler: bool = False) -> None:
        body = chunk.emit()
        fields: Fields = {
            "source_port": (">u2", 0),
            "destination_port": (">u2", 2),
            "verification_tag": (">u4", 4),
            "checksum": (">u4" if adler else "<u4", 8),
        }
        self._has_word, self._has_tsn = len(body) >= 8, len(body) >= 20
        if self._has_word:
            fields["word"] = (">u4", 16)
        if self._has_tsn:
            fields["tsn"] = (">u4", 28)
        self._adler = adler
        self._bytes = HEADER_BYTES + len(body)
        self._packet = Packet(framing, PROTOCOL, bytes(HEADER_BYTES) + body, fields)

    def build(
        self,
        hi: U64,
        lo: U64,
        macs: NDArray[np.uint8] | None,
        source_port: Integers,
        destination_port: Integers,
        verification_tag: Integers,
        word: Integers,
        tsn: Integers,
        ttl: Integers,
        ip_id: Integers,
        source: Source = None,
    ) -> FrameBatch:
        """N packets to the addresses in ``hi`` and ``lo``."""
        batch, records, _ = self._packet.start(hi, lo, macs, ttl, ip_id, source)
        records["source_port"] = source_port
        records["destination_port"] = destination_port
        records["verification_tag"] = verification_tag
        if self._has_word:
            records["word"] = word
        if self._has_tsn:
            records["tsn"] = tsn
        rows = batch.frames[:, batch.frames.shape[1] - self._bytes :]
        records["checksum"] = adler32_rows(rows) if self._adler else crc32c_rows(rows)
        return batch
