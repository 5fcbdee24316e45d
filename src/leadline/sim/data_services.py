"""Ready-made simulated databases and caches: what they say to a greeting, to nonsense and to who asks for TLS."""

from __future__ import annotations

from leadline.sim.speech import Reply, SimTls, Then
from leadline.sim.world import SimService


def postgresql(port: int, start_tls: SimTls | None = None) -> SimService:
    """A PostgreSQL server (its manual, "Message Formats"), which tells no version before a password."""
    refused = _postgresql_error("0A000", "unsupported frontend protocol 0.0: server supports 3.0 to 3.0")
    nameless = _postgresql_error("28000", "no PostgreSQL user name specified in startup packet")
    password = b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"
    tls = Reply(b"\x00\x00\x00\x08\x04\xd2\x16\x2f", b"S" if start_tls else b"N", Then.TLS if start_tls else Then.STAY)
    return SimService(
        port,
        name="postgresql",
        answers=(
            tls,
            Reply(rb"\x00\x00..\x00\x03\x00\x00.*user\x00", password, pattern=True),
            Reply(rb"\x00\x00..\x00\x03\x00\x00", nameless, Then.CLOSE, pattern=True),
            Reply(rb"\x00\x00.{6}", refused, Then.CLOSE, pattern=True),
            # Anything else is an impossible length.
            Reply(rb".{4}", b"", Then.CLOSE, pattern=True),
        ),
        start_tls=start_tls,
        idle=60.0,
    )


def _postgresql_error(code: str, text: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C{code}\0M{text}\0Fpostmaster.c\0L2188\0RProcessStartupPacket\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


def mysql(port: int, version: str, start_tls: SimTls | None = None) -> SimService:
    """A MySQL or MariaDB server: its handshake packet, version 10 (its manual, "Protocol::HandshakeV10")."""
    plugin = b"mysql_native_password" if "MariaDB" in version else b"caching_sha2_password"
    # Bit 11 of the capabilities, CLIENT_SSL.
    low = b"\xff\xff" if start_tls else b"\xff\xf7"
    body = b"\x0a" + version.encode() + b"\x00" + b"\x2a\x00\x00\x00" + b"]6$z:'aV" + b"\x00"
    body += low + b"\x2d\x02\x00\xff\x81\x15" + bytes(10) + b"9c!K.q&tR#1x" + b"\x00" + plugin + b"\x00"
    error = b"\xff\x84\x04#08S01Got packets out of order"
    answers = (
        Reply(rb"\x20\x00\x00\x01", b"", Then.TLS if start_tls else Then.CLOSE, pattern=True),
        Reply(rb".{4}", _mysql_packet(error, 1), Then.CLOSE, pattern=True),
    )
    return SimService(
        port, name="mysql", banner=_mysql_packet(body, 0), answers=answers, start_tls=start_tls, idle=10.0
    )


def _mysql_packet(body: bytes, number: int) -> bytes:
    return len(body).to_bytes(3, "little") + bytes((number,)) + body


def redis(port: int, version: str) -> SimService:
    """A Redis server without a password (RESP, inline commands)."""
    info = f"# Server\r\nredis_version:{version}\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\n"
    info += "redis_mode:standalone\r\nos:Linux 6.1.0-21-amd64 x86_64\r\narch_bits:64\r\ntcp_port:6379\r\n"
    reply = f"${len(info)}\r\n{info}\r\n".encode()
    return SimService(
        port,
        name="redis",
        answers=(
            Reply(rb"(?i)(?:\*1\r\n\$4\r\n)?ping\r\n", b"+PONG\r\n", pattern=True),
            Reply(rb"(?i)(?:\*1\r\n\$4\r\n)?info(?: server)?\r\n", reply, pattern=True),
            Reply(b"GET / HTTP", b"-ERR wrong number of arguments for 'get' command\r\n"),
            Reply(rb"(?i)quit\r\n", b"+OK\r\n", Then.CLOSE, pattern=True),
            Reply(b"HELP\r\n", b"-ERR unknown command 'HELP', with args beginning with: \r\n"),
        ),
        default=Reply(rb"[A-Za-z][^\n]*\n", b"-ERR unknown command\r\n", pattern=True),
    )


def memcached(port: int, version: str) -> SimService:
    """A memcached server (its protocol.txt, the text protocol)."""
    statistics = {"pid": "812", "uptime": "604801", "time": "1780304400", "version": version, "pointer_size": "64"}
    lines = "".join(f"STAT {name} {value}\r\n" for name, value in statistics.items())
    return SimService(
        port,
        name="memcached",
        answers=(
            Reply(b"version\r\n", f"VERSION {version}\r\n".encode()),
            Reply(b"stats\r\n", f"{lines}END\r\n".encode()),
            Reply(b"quit\r\n", b"", Then.CLOSE),
            Reply(rb"[^\n]*\n\r?\n", b"ERROR\r\nERROR\r\n", pattern=True),
        ),
        default=Reply(rb"[^\n]*\n", b"ERROR\r\n", pattern=True),
    )


def sql_server(port: int, version: tuple[int, int, int]) -> SimService:
    """A Microsoft SQL Server: the answer to PRELOGIN ([MS-TDS] 2.2.6.5), which carries the version."""
    major, minor, build = version
    tokens = b"\x00\x00\x15\x00\x06\x01\x00\x1b\x00\x01\x02\x00\x1c\x00\x01\x03\x00\x1d\x00\x00\xff"
    data = tokens + bytes((major, minor)) + build.to_bytes(2, "big") + b"\x00\x00" + b"\x02" + b"\x00"
    packet = b"\x04\x01" + (len(data) + 8).to_bytes(2, "big") + b"\x00\x00\x01\x00" + data
    answers = (Reply(rb"\x12[\x00\x01]", packet, pattern=True), Reply(rb".{8}", b"", Then.CLOSE, pattern=True))
    return SimService(port, name="ms-sql-s", answers=answers, idle=15.0)
