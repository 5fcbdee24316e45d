"""Ready-made simulated services of Windows networks: RPC, file sharing, remote desktop, directory, Kerberos."""

from __future__ import annotations

from leadline.sim.speech import Echoing, Reply, SimTls, Then
from leadline.sim.world import SimService

# RFC 4178: NegTokenInit that offers NTLMSSP, with the hint that Windows sends.
_HINT = b"not_defined_in_RFC4178@please_ignore"


def msrpc(port: int) -> SimService:
    """The endpoint mapper (C706 chapter 12): a bind is acknowledged, other packets are not worth an answer."""
    syntax = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + b"\x02\x00\x00\x00"
    body = b"\xb8\x10\xb8\x10\x9d\x2f\x00\x00" + b"\x04\x00135\x00\x00\x00" + b"\x01\x00\x00\x00" + bytes(4) + syntax
    head = b"\x05\x00\x0c\x03\x10\x00\x00\x00" + (16 + len(body)).to_bytes(2, "little") + b"\x00\x00"
    bind = Echoing(b"\x05\x00\x0b", head + body, copied=(12, 16), place=12)
    return SimService(port, name="msrpc", answers=(bind, Reply(rb".{16}", b"", Then.CLOSE, pattern=True)))


def netbios_session(port: int) -> SimService:
    """The NetBIOS session service (RFC 1002 section 4.3): nobody here is called like that."""
    refused = Reply(b"\x81\x00", b"\x83\x00\x00\x01\x82", Then.CLOSE)
    return SimService(port, name="netbios-ssn", answers=(refused, Reply(rb".{4}", b"", Then.CLOSE, pattern=True)))


def smb(port: int) -> SimService:
    """File sharing of today ([MS-SMB2] 2.2.4): SMB 2.1 for who asks in SMB 2, nothing for SMB 1 alone."""
    return SimService(
        port,
        name="microsoft-ds",
        answers=(
            Reply(rb"\x00...\xfeSMB.{60}", _negotiated(0x0210), pattern=True),
            Reply(rb"\x00...\xffSMBr.*SMB 2\.\?\?\?", _negotiated(0x02FF), pattern=True),
            Reply(rb"\x00...\xffSMBr.*SMB 2\.002", _negotiated(0x0202), pattern=True),
            Reply(rb".{4}", b"", Then.CLOSE, pattern=True),
        ),
    )


def _negotiated(dialect: int) -> bytes:
    mechanisms = _ber(0xA0, _ber(0x30, _ber(0x06, bytes.fromhex("2b06010401823702020a"))))
    hint = _ber(0xA3, _ber(0x30, _ber(0xA0, _ber(0x1B, _HINT))))
    token = _ber(0x60, bytes.fromhex("06062b0601050502") + _ber(0xA0, _ber(0x30, mechanisms + hint)))
    header = b"\xfeSMB\x40\x00" + bytes(6) + b"\x00\x00\x01\x00\x01\x00\x00\x00" + bytes(44)
    sizes = (0x800000).to_bytes(4, "little") * 3
    body = b"\x41\x00\x01\x00" + dialect.to_bytes(2, "little") + b"\x00\x00" + b"leadline company" + b"\x07\x00\x00\x00"
    body += sizes + bytes.fromhex("80a6fd9f51f1dc01") + bytes(8) + b"\x80\x00" + len(token).to_bytes(2, "little")
    message = header + body + bytes(4) + token
    return b"\x00" + len(message).to_bytes(3, "big") + message


def remote_desktop(port: int) -> SimService:
    """Remote desktop ([MS-RDPBCGR] 2.2.1.2): the connection is confirmed, CredSSP is demanded of who knows it."""
    confirmed = bytes.fromhex("030000130ed00000123400021f080002000000")
    old = bytes.fromhex("0300000b06d00000123400")
    return SimService(
        port,
        name="ms-wbt-server",
        answers=(
            Reply(rb"\x03\x00..\x0e?.\xe0.*\x01\x00\x08\x00", confirmed, pattern=True),
            Reply(rb"\x03\x00...\xe0", old, pattern=True),
            Reply(rb".{4}", b"", Then.CLOSE, pattern=True),
        ),
    )


def directory(
    port: int, host: str, domain: str, start_tls: SimTls | None = None, tls: SimTls | None = None
) -> SimService:
    """An Active Directory controller as LDAP shows it to strangers ([MS-ADTS] 3.1.1.3.2, RFC 4511). Message 1 only."""
    base = ",".join(f"DC={label}" for label in domain.split("."))
    attributes = {
        "defaultNamingContext": (base,),
        "supportedLDAPVersion": ("3", "2"),
        "dnsHostName": (host,),
        "ldapServiceName": (f"{domain}:{host.partition('.')[0]}$@{domain.upper()}",),
        "isGlobalCatalogReady": ("TRUE",),
        "domainFunctionality": ("7",),
        "forestFunctionality": ("7",),
        "domainControllerFunctionality": ("7",),
    }
    rows = b"".join(
        _ber(0x30, _ber(0x04, name.encode()) + _ber(0x31, b"".join(_ber(0x04, value.encode()) for value in values)))
        for name, values in attributes.items()
    )
    entry = _ber(0x30, b"\x02\x01\x01" + _ber(0x64, _ber(0x04, b"") + _ber(0x30, rows)))
    done = _ber(0x30, b"\x02\x01\x01" + _ber(0x65, b"\x0a\x01\x00\x04\x00\x04\x00"))
    bound = _ber(0x30, b"\x02\x01\x01" + _ber(0x61, b"\x0a\x01\x00\x04\x00\x04\x00"))
    begin = _ber(0x30, b"\x02\x01\x01" + _ber(0x78, b"\x0a\x01\x00\x04\x00\x04\x00"))
    head = rb"\x30(?:\x84....|\x81.|[\x00-\x7f])\x02\x01\x01"
    answers = [Reply(head + b"\x60", bound, pattern=True), Reply(head + b"\x63", entry + done, pattern=True)]
    if start_tls is not None:
        answers.append(Reply(head + b"\x77", begin, Then.TLS, pattern=True))
    return SimService(
        port,
        name="ldaps" if tls else "ldap",
        answers=(*answers, Reply(rb".{2}", b"", Then.CLOSE, pattern=True)),
        tls=tls,
        start_tls=start_tls,
    )


def kerberos(port: int, realm: str) -> SimService:
    """A Kerberos server (RFC 4120 section 5.9.1): it knows nobody who asks."""
    name = _ber(0xA0, b"\x02\x01\x02") + _ber(0xA1, _ber(0x30, _ber(0x1B, b"krbtgt") + _ber(0x1B, realm.encode())))
    fields = (
        _ber(0xA0, b"\x02\x01\x05")
        + _ber(0xA1, b"\x02\x01\x1e")
        + _ber(0xA4, _ber(0x18, b"20260601090000Z"))
        + _ber(0xA5, b"\x02\x03\x07\xa1\x20")
        + _ber(0xA6, b"\x02\x01\x06")
        + _ber(0xA9, _ber(0x1B, realm.encode()))
        + _ber(0xAA, _ber(0x30, name))
    )
    error = _ber(0x7E, _ber(0x30, fields))
    known = Reply(rb"\x00\x00..[\x6a\x6c]", len(error).to_bytes(4, "big") + error, Then.CLOSE, pattern=True)
    return SimService(port, name="kerberos-sec", answers=(known, Reply(rb".{4}", b"", Then.CLOSE, pattern=True)))


def _ber(tag: int, content: bytes) -> bytes:
    """One element of BER (X.690 section 8.1), lengths up to 65,535."""
    size = len(content)
    if size < 0x80:
        length = bytes((size,))
    else:
        length = b"\x81" + bytes((size,)) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + content
