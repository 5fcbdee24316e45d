from __future__ import annotations

import ssl

import pytest

from leadline.sim import tls_records
from leadline.sim.tls_records import alert, alert_words, client_hello, is_client_hello, offers_tls, server_hello


def real_client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="host.example")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def records(data: bytes) -> list[tuple[int, int, bytes]]:
    """(type, version, body) of each record; all of ``data`` must be records."""
    found = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        assert len(data) >= end
        found.append((data[0], int.from_bytes(data[1:3], "big"), data[5:end]))
        data = data[end:]
    return found


def test_client_hellos_are_recognised() -> None:
    hello = real_client_hello()
    assert is_client_hello(hello)
    assert is_client_hello(b"\x16\x03\x00")
    assert is_client_hello(client_hello(""))
    for other in (b"", b"\x16", b"GET / HTTP/1.0", b"\x15\x03\x01\x00\x02\x02\x46", server_hello("TLSv1.2", "", hello)):
        assert not is_client_hello(other)


def test_the_hello_of_our_own_is_a_record() -> None:
    ((kind, version, body),) = records(client_hello("host.example"))
    assert (kind, version, body[0]) == (22, 0x0301, 1)
    assert int.from_bytes(body[1:4], "big") == len(body) - 4
    assert client_hello("a") != client_hello("b")
    assert offers_tls(client_hello(""))


@pytest.mark.parametrize(("version", "number"), [("TLSv1", 0x0301), ("TLSv1.2", 0x0303), ("what", 0x0303)])
def test_before_tls_1_3_hello_and_done(version: str, number: int) -> None:
    first, second = records(server_hello(version, "AES128-SHA", real_client_hello()))
    assert first[:2] == second[:2] == (22, number)
    assert first[2][0] == 2
    assert int.from_bytes(first[2][1:4], "big") == len(first[2]) - 4
    assert first[2][4:6] == number.to_bytes(2, "big")
    assert first[2][38 + 1 + 32 :][:2] == b"\x00\x2f"
    assert second[2] == b"\x0e\x00\x00\x00"


def test_tls_1_3_asks_for_a_key_share() -> None:
    hello = real_client_hello()
    ((kind, version, body),) = records(server_hello("TLSv1.3", "TLS_AES_256_GCM_SHA384", hello))
    assert (kind, version, body[0]) == (22, 0x0303, 2)
    # RFC 8446 section 4.1.3 prints this value.
    assert body[6:38].hex() == "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
    assert body[38:71] == hello[43:76]
    assert body[71:73] == b"\x13\x02"
    assert server_hello("TLSv1.3", "", b"\x16\x03")


def test_a_real_client_understands_the_alert_and_the_retry() -> None:
    for answer, said in (
        (alert(tls_records.HANDSHAKE_FAILURE), "ALERT_HANDSHAKE_FAILURE"),
        (alert(tls_records.PROTOCOL_VERSION), "ALERT_PROTOCOL_VERSION"),
        (tls_records.NO_TLS, "WRONG_VERSION_NUMBER"),
    ):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="host.example")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        incoming.write(answer)
        with pytest.raises(ssl.SSLError, match=said):
            client.do_handshake()


def test_names_of_alerts() -> None:
    assert alert_words(alert(40)) == "sslv3 alert handshake failure"
    assert alert_words(alert(112)) == "tlsv1 unrecognized name"
    assert alert_words(alert(99)) == "alert 99"
    assert alert_words(b"\x15\x03") == "alert 0"


def test_hellos_of_ssl_3() -> None:
    assert not offers_tls(b"\x16\x03\x00\x00\x57\x01\x00\x00\x53\x03\x00")
    assert offers_tls(b"\x16\x03\x01\x00\x57\x01\x00\x00\x53\x03\x01")
    assert offers_tls(b"\x16\x03\x01")
