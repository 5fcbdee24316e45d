from __future__ import annotations

from leadline.sim.office_services import afp, git_daemon, printer_queue, rpc, rsync, rtsp, screen, sip, telnet
from tests.support.sim_dialogue import answers, is_over

GET = b"GET / HTTP/1.0\r\n\r\n"


def test_cameras() -> None:
    service = rtsp(554, "Example/1.0")
    (_, told) = answers(service, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    assert told.startswith(b"RTSP/1.0 200 OK\r\nServer: Example/1.0\r\nCSeq: 1\r\nPublic: OPTIONS")
    assert answers(rtsp(554), GET)[1] == b"RTSP/1.0 400 Bad Request\r\n\r\n"
    assert answers(service, b"\r\n\r\n") == [b"", b""]
    assert is_over(service, GET)


def test_telephones() -> None:
    service = sip(5060, "snomD785/10.1")
    (_, told) = answers(service, b"OPTIONS sip:leadline SIP/2.0\r\n\r\n")
    assert told.startswith(b"SIP/2.0 200 OK\r\n")
    assert b"\r\nUser-Agent: snomD785/10.1\r\n" in told
    assert answers(service, GET) == [b"", b""]


def test_screens() -> None:
    service = screen(5900, "003.008")
    assert answers(service, b"RFB 003.008\n") == [b"RFB 003.008\n", b"\x01\x02"]
    assert is_over(service, GET)


def test_printers() -> None:
    assert answers(printer_queue(515), b"\x03lp\n") == [b"", b"no entries\n"]
    assert answers(printer_queue(515), GET) == [b"", b""]
    assert is_over(printer_queue(515), GET)


def test_files() -> None:
    service = rsync(873, "31.0")
    assert answers(service, b"@RSYNCD: 31.0\n") == [b"@RSYNCD: 31.0\n", b""]
    assert answers(service, GET)[1] == b"@ERROR: protocol startup error\n"
    request = b"0030git-upload-pack /leadline\0host=host.example\0"
    (_, told) = answers(git_daemon(9418), request)
    assert int(told[:4], 16) == len(told)
    assert told[4:].startswith(b"ERR access denied")
    assert is_over(git_daemon(9418), GET)


def test_files_of_apples_kind() -> None:
    service = afp(548, "FILES", "Netatalk3.1.12")
    (_, told) = answers(service, b"\x00\x03\xab\xcd" + bytes(12))
    assert told[:8] == b"\x01\x03\xab\xcd" + bytes(4)
    body = told[16:]
    assert int.from_bytes(told[8:12], "big") == len(body)
    kind, versions, methods = (int.from_bytes(body[at : at + 2], "big") for at in (0, 2, 4))
    assert body[10:16] == b"\x05FILES"
    assert body[kind:versions] == b"\x0eNetatalk3.1.12"
    assert body[versions:methods] == b"\x03\x06AFP2.2\x06AFPX03\x06AFP3.4"
    assert body[methods] == 2
    assert is_over(service, GET)


def test_remote_procedures() -> None:
    def call(version: int, program: int = 100000) -> bytes:
        numbers = (0, 2, program, version, 0, 0, 0, 0, 0)
        return b"\x80\x00\x00\x28\x12\x34\x56\x78" + b"".join(number.to_bytes(4, "big") for number in numbers)

    service = rpc(111, 100000, 2, 4)
    (_, accepted, mismatch, unavailable) = answers(service, call(2), call(9), call(1, 100003))
    for told in (accepted, mismatch, unavailable):
        assert told[:4] == (0x80000000 + len(told) - 4).to_bytes(4, "big")
        assert told[4:12] == b"\x12\x34\x56\x78\x00\x00\x00\x01"
    assert accepted[12:] == bytes(16)
    assert mismatch[24:] == b"\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x04"
    assert unavailable[24:] == b"\x00\x00\x00\x01"
    assert answers(service, GET) == [b"", b""]


def test_terminals() -> None:
    service = telnet(23, b"\xff\xfb\x01", b"login: ")
    assert answers(service, b"\r\n", b"x\r\n") == [b"\xff\xfb\x01login: ", b"\r\nlogin: ", b"\r\nlogin: "]
