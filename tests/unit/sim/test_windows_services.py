from __future__ import annotations

import pytest

from leadline.sim.services import certificate
from leadline.sim.speech import SimTls
from leadline.sim.windows_services import LdapReply, directory, kerberos, msrpc, netbios_session, remote_desktop, smb
from leadline.sim.world import SimService
from tests.support.sim_dialogue import answers, is_over, start_tls

GET = b"GET / HTTP/1.0\r\n\r\n"
TLS = SimTls(certificate("dc.example"))


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element of BER; all of ``data`` must be elements."""
    found = []
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start], "big")
        assert len(data) >= start + size
        found.append((data[0], data[start : start + size]))
        data = data[start + size :]
    return found


def test_remote_procedure_calls() -> None:
    for contexts, syntax in ((1, "045d888a"), (2, "33057171")):
        head = b"\x05\x00\x0b\x03\x10\x00\x00\x00\x48\x00\x00\x00\xab\xcd\x00\x00" + bytes(8)
        (_, told) = answers(msrpc(135), head + bytes((contexts,)) + bytes(47))
        assert told[:4] == b"\x05\x00\x0c\x03"
        assert int.from_bytes(told[8:10], "little") == len(told)
        assert told[12:16] == b"\xab\xcd\x00\x00"
        assert told[32] == contexts
        assert told[-20:-16].hex() == syntax
    assert is_over(msrpc(135), GET)


def test_netbios_sessions() -> None:
    request = b"\x81\x00\x00\x44" + bytes(68)
    assert answers(netbios_session(139), request) == [b"", b"\x83\x00\x00\x01\x82"]
    assert is_over(netbios_session(139), GET)


@pytest.mark.parametrize(
    ("asked", "dialect"),
    [
        (b"\x00\x00\x00\x40\xfeSMB" + bytes(60), 0x0302),
        (b"\x00\x00\x00\x40\xffSMBr" + bytes(27) + b"\x02NT LM 0.12\x00\x02SMB 2.002\x00\x02SMB 2.???\x00", 0x02FF),
        (b"\x00\x00\x00\x40\xffSMBr" + bytes(27) + b"\x02NT LM 0.12\x00\x02SMB 2.002\x00", 0x0202),
    ],
)
def test_file_sharing(asked: bytes, dialect: int) -> None:
    (_, told) = answers(smb(445), asked)
    assert told[:4] == (len(told) - 4).to_bytes(4, "big")
    message = told[4:]
    assert message[:6] == b"\xfeSMB\x40\x00"
    # Flags: from the server.
    assert message[16] == 1
    assert message[64:66] == b"\x41\x00"
    assert int.from_bytes(message[68:70], "little") == dialect
    start, size = (int.from_bytes(message[at : at + 2], "little") for at in (120, 122))
    assert start + size == len(message)
    ((tag, token),) = elements(message[start:])
    assert tag == 0x60
    assert [tag for tag, _ in elements(token)] == [0x06, 0xA0]


def test_only_windows_offers_its_own_mechanism() -> None:
    for service, windows in ((smb(445), True), (smb(445, windows=False), False)):
        (_, told) = answers(service, b"\x00\x00\x00\x40\xfeSMB" + bytes(60))
        assert (b"\x82\x37\x02\x02\x1e" in told) is windows


def test_file_sharing_by_samba() -> None:
    (_, told) = answers(smb(445, 0x0210, samba="FILES"), b"\x00\x00\x00\x40\xfeSMB" + bytes(60))
    assert told[72:92] == b"\x10\x02\x00\x00FILES" + bytes(11)
    assert b"\x82\x37\x02\x02\x0a" in told
    assert b"\x82\x37\x02\x02\x1e" not in told


def test_file_sharing_of_the_past_is_refused() -> None:
    assert is_over(smb(445), b"\x00\x00\x00\x40\xffSMBr" + bytes(27) + b"\x02NT LM 0.12\x00")
    assert is_over(smb(445), GET)


def test_remote_desktop() -> None:
    new = bytes.fromhex("030000130ee000000000000100080003000000")
    old = bytes.fromhex("0300000b06e00000000000")
    assert answers(remote_desktop(3389), new)[1].hex() == "030000130ed00000123400021f080002000000"
    assert answers(remote_desktop(3389), old)[1].hex() == "0300000b06d00000123400"
    assert is_over(remote_desktop(3389), GET)


def service(start: SimTls | None = None) -> SimService:
    return directory(389, "dc.corp.example", "corp.example", start_tls=start)


def test_a_directory_tells_of_itself() -> None:
    search = bytes.fromhex("300c0201016307040a0100")
    (_, told) = answers(service(), search)
    (_, entry), (_, done) = elements(told)
    assert [tag for tag, _ in elements(entry)] == [0x02, 0x64]
    assert [tag for tag, _ in elements(done)] == [0x02, 0x65]
    attributes = elements(elements(elements(entry)[1][1])[1][1])
    values = {elements(row)[0][1]: [value for _, value in elements(elements(row)[1][1])] for _, row in attributes}
    assert values[b"defaultNamingContext"] == [b"DC=corp,DC=example"]
    assert values[b"dnsHostName"] == [b"dc.corp.example"]
    assert values[b"ldapServiceName"] == [b"corp.example:dc$@CORP.EXAMPLE"]
    assert values[b"supportedLDAPVersion"] == [b"3", b"2"]


def test_a_directory_lets_bind_and_start_tls() -> None:
    bind = bytes.fromhex("300c020101600702010304008000")
    extended = bytes.fromhex("301d02010177188016312e332e362e312e342e312e313436362e3230303337")
    (_, told) = answers(service(), bind)
    assert told.hex() == "300c02010161070a010004000400"
    assert answers(service(TLS), extended)[1].hex() == "300c02010178070a010004000400"
    facts = start_tls(service(TLS), extended)
    assert facts is not None
    assert facts.certificate == TLS.certificate
    assert is_over(service(), extended)
    assert is_over(service(), GET)


def test_messages_keep_their_number() -> None:
    reply = LdapReply(operation=0x63, operations=(b"\x65\x00", b"\x65\x00"))
    assert reply.answer(b"\x30\x84\x00\x00\x00\x05\x02\x01\x07\x63\x00") == bytes.fromhex("30050201076500") * 2
    assert reply.answer(b"\x30\x05\x02\x01\x07\x60\x00") is None
    assert reply.answer(b"GET / HTTP/1.0") is None


def test_kerberos_knows_nobody() -> None:
    request = b"\x00\x00\x00\x04\x6a\x02\x30\x00"
    (_, told) = answers(kerberos(88, "CORP.EXAMPLE"), request)
    assert int.from_bytes(told[:4], "big") == len(told) - 4
    ((tag, error),) = elements(told[4:])
    assert tag == 0x7E
    ((_, fields),) = elements(error)
    values = dict(elements(fields))
    assert values[0xA1] == b"\x02\x01\x1e"
    assert elements(values[0xA9]) == [(0x1B, b"CORP.EXAMPLE")]
    assert is_over(kerberos(88, "X"), GET)
