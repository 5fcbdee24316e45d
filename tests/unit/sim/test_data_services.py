from __future__ import annotations

from leadline.sim.data_services import memcached, mysql, postgresql, redis, sql_server
from leadline.sim.services import certificate
from leadline.sim.speech import SimTls
from tests.support.sim_dialogue import answers, is_over, start_tls

TLS = SimTls(certificate("db.example"))
GET = b"GET / HTTP/1.0\r\n\r\n"
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def test_postgresql() -> None:
    service = postgresql(5432)
    named = b"\x00\x00\x00\x17\x00\x03\x00\x00user\x00leadline\x00\x00"
    assert answers(service, named) == [b"", b"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"]
    for startup, code in (
        (b"\x00\x00\x00\x09\x00\x03\x00\x00\x00", b"C28000\0"),
        (b"\x00\x00\x00\x08" + bytes(4), b"C0A000\0"),
    ):
        (_, error) = answers(service, startup)
        assert error[:1] == b"E"
        assert int.from_bytes(error[1:5], "big") == len(error) - 1
        assert code in error
        assert error.endswith(b"\0\0")
        assert is_over(service, startup)
    assert answers(service, GET) == [b"", b""]
    assert is_over(service, GET)


def test_postgresql_and_tls() -> None:
    assert answers(postgresql(5432), SSL_REQUEST) == [b"", b"N"]
    assert answers(postgresql(5432, TLS), SSL_REQUEST) == [b"", b"S"]
    facts = start_tls(postgresql(5432, TLS), SSL_REQUEST)
    assert facts is not None
    assert facts.certificate == TLS.certificate
    assert start_tls(postgresql(5432), SSL_REQUEST) is None


def test_mysql() -> None:
    (greeting, error) = answers(mysql(3306, "8.0.37"), GET)
    assert int.from_bytes(greeting[:3], "little") == len(greeting) - 4
    assert greeting[3:12] == b"\x00\x0a8.0.37\x00"
    assert b"caching_sha2_password\x00" in greeting
    assert error[3:].startswith(b"\x01\xff\x84\x04#08S01")
    assert is_over(mysql(3306, "8.0.37"), GET)
    assert b"mysql_native_password" in answers(mysql(3306, "5.5.5-10.11.6-MariaDB"))[0]


def test_mysql_and_tls() -> None:
    def capabilities(greeting: bytes) -> int:
        end = greeting.index(b"\x00", 5)
        return int.from_bytes(greeting[end + 14 : end + 16], "little")

    client = b"\x20\x00\x00\x01\x85\xae\x7f\x00" + bytes(28)
    assert capabilities(answers(mysql(1, "8.0.37", TLS))[0]) & 0x0800
    assert not capabilities(answers(mysql(1, "8.0.37"))[0]) & 0x0800
    assert start_tls(mysql(1, "8.0.37", TLS), client) is not None
    assert is_over(mysql(1, "8.0.37"), client)


def test_redis() -> None:
    service = redis(6379, "7.0.15")
    for asked in (b"*1\r\n$4\r\nINFO\r\n", b"info\r\n"):
        (_, told) = answers(service, asked)
        size, _, rest = told.partition(b"\r\n")
        assert int(size[1:]) == len(rest) - 2
        assert b"\r\nredis_version:7.0.15\r\n" in rest
    assert answers(service, b"PING\r\n", GET, b"HELP\r\n", b"EHLO x\r\n", b"\r\n")[1:] == [
        b"+PONG\r\n",
        b"-ERR wrong number of arguments for 'get' command\r\n",
        b"-ERR unknown command 'HELP', with args beginning with: \r\n",
        b"-ERR unknown command\r\n",
        b"",
    ]
    assert is_over(service, b"QUIT\r\n")


def test_memcached() -> None:
    service = memcached(11211, "1.6.18")
    assert answers(service, b"version\r\n", b"\r\n\r\n", b"HELP\r\n")[1:] == [
        b"VERSION 1.6.18\r\n",
        b"ERROR\r\nERROR\r\n",
        b"ERROR\r\n",
    ]
    assert b"STAT version 1.6.18\r\n" in answers(service, b"stats\r\n")[1]
    assert is_over(service, b"quit\r\n")


def test_sql_server() -> None:
    service = sql_server(1433, (10, 50, 6000))
    (_, told) = answers(service, b"\x12\x01\x00\x2f\x00\x00\x00\x00" + bytes(39))
    assert told[:2] == b"\x04\x01"
    assert int.from_bytes(told[2:4], "big") == len(told)
    at = int.from_bytes(told[9:11], "big") + 8
    assert told[at : at + 6] == b"\x0a\x32\x17\x70\x00\x00"
    assert is_over(service, GET)
