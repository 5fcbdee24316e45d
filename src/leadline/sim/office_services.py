"""Ready-made simulated services of offices and workshops: cameras, telephones, screens, printers, files, telnet."""

from __future__ import annotations

from leadline.sim.speech import Echoing, Reply, Then
from leadline.sim.world import SimService


def rtsp(port: int, server: str = "") -> SimService:
    """A camera's stream (RFC 2326 section 10.1). ``server``: of its header of that name."""
    named = f"Server: {server}\r\n" if server else ""
    methods = "OPTIONS, DESCRIBE, SETUP, TEARDOWN, PLAY, SET_PARAMETER, GET_PARAMETER"
    fine = f"RTSP/1.0 200 OK\r\n{named}CSeq: 1\r\nPublic: {methods}\r\n\r\n".encode()
    bad = f"RTSP/1.0 400 Bad Request\r\n{named}\r\n".encode()
    return SimService(
        port,
        name="rtsp",
        answers=(Reply(rb"OPTIONS [^\n]* RTSP/1\.0\r\n", fine, pattern=True),),
        default=Reply(rb"[^\n]*\S[^\n]*\n", bad, Then.CLOSE, pattern=True),
        idle=60.0,
    )


def sip(port: int, agent: str) -> SimService:
    """A telephone (RFC 3261 section 11.2): it tells what it can to who asks with OPTIONS."""
    head = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP leadline.invalid;branch=z9hG4bK0\r\n"
    fine = f"{head}User-Agent: {agent}\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\nContent-Length: 0\r\n\r\n"
    return SimService(port, name="sip", answers=(Reply(b"OPTIONS sip:", fine.encode()),), idle=60.0)


def screen(port: int, version: str) -> SimService:
    """A shared screen (RFC 6143 section 7.1.1). ``version``: as ``003.008``. Other words end the connection."""
    words = f"RFB {version}\n".encode()
    return SimService(
        port,
        name="vnc",
        banner=words,
        answers=(Reply(b"RFB ", b"\x01\x02"), Reply(rb".{12}|.*\n", b"", Then.CLOSE, pattern=True)),
        idle=60.0,
    )


def printer_queue(port: int) -> SimService:
    """A printer's queue (RFC 1179 section 5): empty."""
    asked = Reply(rb"[\x03\x04][^\n]*\n", b"no entries\n", Then.CLOSE, pattern=True)
    other = Reply(rb"[^\n]*\n", b"", Then.CLOSE, pattern=True)
    return SimService(port, name="printer", answers=(asked, other), idle=60.0)


def rsync(port: int, protocol: str) -> SimService:
    """An rsync daemon (its sources' clientserver.c). ``protocol``: as ``31.0``."""
    words = f"@RSYNCD: {protocol}\n".encode()
    error = b"@ERROR: protocol startup error\n"
    return SimService(
        port,
        name="rsync",
        banner=words,
        answers=(Reply(b"@RSYNCD: "), Reply(rb"[^\n]*\n", error, Then.CLOSE, pattern=True)),
    )


def git_daemon(port: int) -> SimService:
    """A git daemon (gitprotocol-pack): whatever is asked for is not exported."""
    text = b"ERR access denied or repository not exported: /leadline"
    refused = f"{len(text) + 4:04x}".encode() + text
    return SimService(
        port,
        name="git",
        answers=(
            Reply(rb"[0-9a-f]{4}git-upload-pack /", refused, Then.CLOSE, pattern=True),
            Reply(rb".{4}", b"", Then.CLOSE, pattern=True),
        ),
    )


def rpc(port: int, program: int, lowest: int, highest: int) -> SimService:
    """An ONC RPC program over TCP (RFC 5531): procedure 0, and the range of its versions for who asks for others."""
    called = rb"\x80\x00..(?:....)\x00\x00\x00\x00\x00\x00\x00\x02" + _exactly(program.to_bytes(4, "big"))
    versions = b"[" + b"".join(b"\\x%02x" % number for number in range(lowest, highest + 1)) + b"]"
    accepted = b"\x00\x00\x00\x01" + bytes(16)
    mismatch = b"\x00\x00\x00\x01" + bytes(12) + b"\x00\x00\x00\x02"
    mismatch += lowest.to_bytes(4, "big") + highest.to_bytes(4, "big")
    unavailable = b"\x00\x00\x00\x01" + bytes(12) + b"\x00\x00\x00\x01"
    answers = tuple(
        Echoing(to, (0x80000004 + len(say)).to_bytes(4, "big") + say, pattern=True, copied=(4, 8), place=4)
        for to, say in (
            (called + rb"\x00\x00\x00" + versions + rb"\x00\x00\x00\x00", accepted),
            (called + rb"(?!\x00\x00\x00" + versions + rb")", mismatch),
            (rb"\x80\x00..(?:....)\x00\x00\x00\x00\x00\x00\x00\x02", unavailable),
        )
    )
    return SimService(port, name="rpc", answers=answers)


def afp(port: int, name: str, machine: str) -> SimService:
    """A file server of Apple's kind: FPGetSrvrInfo over DSI (Apple Filing Protocol Reference)."""
    words = _pascal(name.encode())
    fixed = 10 + len(words) + len(words) % 2 + 8
    kind = _pascal(machine.encode())
    versions = b"\x03" + b"".join(_pascal(version) for version in (b"AFP2.2", b"AFPX03", b"AFP3.4"))
    methods = b"\x02" + _pascal(b"DHX2") + _pascal(b"DHCAST128")
    places = (fixed, fixed + len(kind), fixed + len(kind) + len(versions), 0)
    head = b"".join(place.to_bytes(2, "big") for place in places) + b"\x8f\xf3"
    body = head + words + bytes(len(words) % 2 + 8) + kind + versions + methods
    said = b"\x01\x03" + bytes(4) + len(body).to_bytes(4, "big") + bytes(4) + body
    answers = (
        Echoing(b"\x00\x03", said, copied=(2, 4), place=2),
        Reply(rb".{16}", b"", Then.CLOSE, pattern=True),
    )
    return SimService(port, name="afp", answers=answers)


def _pascal(text: bytes) -> bytes:
    return bytes((len(text),)) + text


def telnet(port: int, options: bytes, prompt: bytes) -> SimService:
    """A telnet server (RFC 854): its options, its prompt, and the same prompt after every line."""
    return SimService(
        port, name="telnet", banner=options + prompt, default=Reply(rb"[^\n]*\n", b"\r\n" + prompt, pattern=True)
    )


def _exactly(text: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in text)
