"""Ready-made simulated services of Windows networks: RPC, file sharing, remote desktop, directory, Kerberos."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.sim.speech import Echoing, Reply, SimTls, Then, compiled
from leadline.sim.world import SimService

# RFC 4178: NegTokenInit with the hint that Windows sends.
_HINT = b"not_defined_in_RFC4178@please_ignore"
_SPNEGO = bytes.fromhex("2b0601050502")
_NEGOEX, _NTLM = bytes.fromhex("2b06010401823702021e"), bytes.fromhex("2b06010401823702020a")
_NDR = bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000")
_NDR64 = bytes.fromhex("33057171babe37498319b5dbef9ccc3601000000")


def msrpc(port: int) -> SimService:
    """The endpoint mapper of a 64-bit Windows (C706 chapter 12, [MS-RPCE] 2.2.2.4), which takes NDR64 if it may choose.

    Other packets than a bind are not worth an answer.
    """
    head = b"\x05\x00\x0b.{21}"
    refused = b"\x02\x00\x02\x00" + bytes(20)
    both = _bound(b"\x02\x00\x00\x00" + refused + bytes(4) + _NDR64)
    one = _bound(b"\x01\x00\x00\x00" + bytes(4) + _NDR)
    answers = (
        Echoing(head + b"\x02", both, pattern=True, copied=(12, 16), place=12),
        Echoing(head, one, pattern=True, copied=(12, 16), place=12),
        Reply(rb".{16}", b"", Then.CLOSE, pattern=True),
    )
    return SimService(port, name="msrpc", answers=answers)


def _bound(results: bytes) -> bytes:
    """An acknowledged bind without the four bytes of its call's number."""
    body = b"\xd0\x16\xd0\x16\x9d\x2f\x00\x00" + b"\x04\x00135\x00\x00\x00" + results
    return b"\x05\x00\x0c\x03\x10\x00\x00\x00" + (16 + len(body)).to_bytes(2, "little") + b"\x00\x00" + body


def netbios_session(port: int) -> SimService:
    """The NetBIOS session service (RFC 1002 section 4.3): nobody here is called like that."""
    refused = Reply(b"\x81\x00", b"\x83\x00\x00\x01\x82", Then.CLOSE)
    return SimService(port, name="netbios-ssn", answers=(refused, Reply(rb".{4}", b"", Then.CLOSE, pattern=True)))


def smb(port: int, dialect: int = 0x0302, samba: str = "", windows: bool = True) -> SimService:
    """File sharing of today ([MS-SMB2] 2.2.4), nothing for who speaks SMB 1 alone. ``dialect``: the one it agrees to.

    ``samba``: the name of a Samba server, whose identity is that name. Only Windows offers NEGOEX ([MS-NEGOEX]).
    """
    mechanisms = (_NEGOEX, _NTLM) if windows and not samba else (_NTLM,)
    return SimService(
        port,
        name="microsoft-ds",
        answers=(
            Reply(rb"\x00...\xfeSMB.{60}", _negotiated(dialect, samba, mechanisms), pattern=True),
            Reply(rb"\x00...\xffSMBr.*SMB 2\.\?\?\?", _negotiated(0x02FF, samba, mechanisms), pattern=True),
            Reply(rb"\x00...\xffSMBr.*SMB 2\.002", _negotiated(0x0202, samba, mechanisms), pattern=True),
            Reply(rb".{4}", b"", Then.CLOSE, pattern=True),
        ),
    )


def _negotiated(dialect: int, samba: str, mechanisms: tuple[bytes, ...]) -> bytes:
    offered = _ber(0xA0, _ber(0x30, b"".join(_ber(0x06, each) for each in mechanisms)))
    hint = _ber(0xA3, _ber(0x30, _ber(0xA0, _ber(0x1B, _HINT))))
    token = _ber(0x60, _ber(0x06, _SPNEGO) + _ber(0xA0, _ber(0x30, offered + hint)))
    identity = samba.encode().ljust(16, b"\x00") if samba else bytes.fromhex("a43d0c5be81f49419c7f2e6b90d1538a")
    header = b"\xfeSMB\x40\x00" + bytes(6) + b"\x00\x00\x01\x00\x01\x00\x00\x00" + bytes(44)
    sizes = (0x800000).to_bytes(4, "little") * 3
    body = b"\x41\x00\x01\x00" + dialect.to_bytes(2, "little") + b"\x00\x00" + identity + b"\x07\x00\x00\x00"
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


@dataclass(frozen=True, slots=True)
class LdapReply(Reply):
    """A reply to LDAP messages of one kind: ``operations``, each in a message with the number of the request."""

    operation: int = 0x63
    operations: tuple[bytes, ...] = ()

    def answer(self, heard: bytes) -> bytes | None:
        head = rb"\x30(?:\x84....|\x82..|\x81.|[\x00-\x7f])(\x02\x01.)"
        number = compiled(head + b"\\x%02x" % self.operation).match(heard)
        return b"".join(_ber(0x30, number[1] + each) for each in self.operations) if number else None


def directory(
    port: int, host: str, domain: str, start_tls: SimTls | None = None, tls: SimTls | None = None
) -> SimService:
    """An Active Directory controller as LDAP shows it to strangers ([MS-ADTS] 3.1.1.3.2, RFC 4511)."""
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
    fine = b"\x0a\x01\x00\x04\x00\x04\x00"
    entry = _ber(0x64, _ber(0x04, b"") + _ber(0x30, rows))
    answers: list[Reply] = [
        LdapReply(operation=0x60, operations=(_ber(0x61, fine),)),
        LdapReply(operation=0x63, operations=(entry, _ber(0x65, fine))),
    ]
    if start_tls is not None:
        answers.append(LdapReply(operation=0x77, operations=(_ber(0x78, fine),), then=Then.TLS))
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
