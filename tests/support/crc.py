"""CRC32C bit by bit, as RFC 9260 appendix A describes it: slow, and independent of what it checks."""

from __future__ import annotations

_POLYNOMIAL = 0x82F63B78


def crc32c(data: bytes) -> int:
    """CRC32C of the bytes."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return register ^ 0xFFFFFFFF
