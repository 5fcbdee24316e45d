"""What the machines of the demonstration's company say on their open ports. All of it is made up."""

from __future__ import annotations

from collections.abc import Callable

from leadline.sim.data_services import memcached, mysql, postgresql, redis, sql_server
from leadline.sim.office_services import afp, git_daemon, printer_queue, rpc, rsync, rtsp, screen, sip, telnet
from leadline.sim.services import (
    certificate,
    dns,
    go_http,
    greeting,
    http,
    https,
    imap,
    pop3,
    silent,
    smtp,
    ssh,
    wrapped,
)
from leadline.sim.speech import Reply, SimTls
from leadline.sim.windows_services import directory, kerberos, msrpc, netbios_session, remote_desktop, smb
from leadline.sim.world import SimService

_DOMAIN = "demo.example"
_AUTHORITY = "CN=Demo Example CA,O=Demo Example"
_NEW, _OLD = "OpenSSH_9.2p1 Debian-2+deb12u3", "OpenSSH_8.4p1 Debian-5+deb11u3"
_PORTAL = SimTls(certificate(f"mail.{_DOMAIN}", f"smtp.{_DOMAIN}", f"imap.{_DOMAIN}", issuer=_AUTHORITY))
_LASER = "HP HTTP Server; HP LaserJet MFP M428fdw - W1A30A; Serial Number: XXXXXXXXXX"

Services = tuple[SimService, ...]


def services_of(name: str, tcp: tuple[int, ...]) -> Services:
    """The services of one machine, by its name without domain; ports that no one speaks for stay silent."""
    make = _MACHINES.get(name)
    spoken = make() if make is not None else ()
    said = tuple(service for service in spoken if service.protocol != 6 or service.port in tcp)
    known = {service.port for service in said if service.protocol == 6}
    return (*said, *(SimService(port) for port in tcp if port not in known))


def _own(name: str, *more: str) -> SimTls:
    return SimTls(certificate(f"{name}.{_DOMAIN}", *more))


def _printer(name: str) -> Services:
    title = "HP LaserJet MFP M428fdw"
    shown = certificate(f"{name}.{_DOMAIN}")
    return (
        http(80, _LASER, title=title),
        https(443, _LASER, shown, version="TLSv1.2", title=title),
        printer_queue(515),
        http(631, _LASER, title=title),
        silent(9100),
    )


def _nas(name: str) -> Services:
    return (
        ssh(22, "OpenSSH_8.2"),
        http(80, "nginx", status="302 Moved Temporarily", headers=(f"Location: https://{name}.{_DOMAIN}:5001/",)),
        netbios_session(139),
        https(443, "nginx", certificate(f"{name}.{_DOMAIN}"), title=f"{name} - Synology NAS"),
        smb(445, samba=name.upper()),
        afp(548, name.upper(), "Netatalk3.1.12"),
        rpc(2049, 100003, 3, 4),
        http(5000, "nginx", title=f"{name} - Synology NAS"),
    )


def _windows(*more: SimService) -> Services:
    said = {service.port for service in more}
    return (*(one for one in (msrpc(135), netbios_session(139), smb(445)) if one.port not in said), *more)


def _camera() -> Services:
    # The port of the maker's own programs: nobody has written down what it speaks.
    riddle = Reply(rb".{4}", b"\x5a\xa5\x01\x00\x0c\x00\x00\x00E_PROTO\x00", pattern=True)
    return (
        http(80, "App-webs/", title="index"),
        rtsp(554, "Hipcam RealServer/V1.0"),
        SimService(8000, name="riddle", answers=(riddle,)),
    )


def _phone(agent: str, title: str) -> Services:
    return (http(80, "snom embedded", title=title), sip(5060, agent))


def _mail() -> Services:
    host, postfix, dovecot = f"mail.{_DOMAIN}", "Postfix (Debian/GNU)", "Dovecot (Debian)"
    return (
        smtp(25, host, postfix, start_tls=_PORTAL),
        pop3(110, dovecot, start_tls=_PORTAL),
        imap(143, dovecot, start_tls=_PORTAL),
        smtp(465, host, postfix, tls=_PORTAL),
        smtp(587, host, postfix, start_tls=_PORTAL),
        imap(993, dovecot, tls=_PORTAL),
        pop3(995, dovecot, tls=_PORTAL),
    )


def _jenkins() -> SimService:
    headers = ("X-Hudson: 1.395", "X-Jenkins: 2.452.1", "X-Jenkins-Session: 5e1f0f2a", "Server: Jetty(10.0.20)")
    return http(8080, status="403 Forbidden", headers=headers, title="Authentication required")


def _directory() -> Services:
    host, realm = f"directory.{_DOMAIN}", _DOMAIN.upper()
    secure = SimTls(certificate(host, issuer=_AUTHORITY), "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384")
    return (
        *dns(53, "Microsoft DNS 10.0.17763"),
        kerberos(88, realm),
        directory(389, host, _DOMAIN, start_tls=secure),
        kerberos(464, realm),
        directory(636, host, _DOMAIN, tls=secure),
        directory(3268, host, _DOMAIN, start_tls=secure),
        directory(3269, host, _DOMAIN, tls=secure),
        *_windows(),
    )


def _legacy() -> Services:
    hello = b"Welcome to Microsoft Telnet Service \r\n\n\rlogin: "
    ftp = greeting(21, b"220 Microsoft FTP Service\r\n", "ftp", b"530 Please login with USER and PASS.\r\n")
    return _windows(
        ftp,
        telnet(23, b"\xff\xfd%\xff\xfb\x01\xff\xfb\x03\xff\xfd'\xff\xfd\x1f\xff\xfd\x00\xff\xfb\x00", hello),
        http(80, "Microsoft-IIS/7.5", headers=("X-Powered-By: ASP.NET",), title="IIS7"),
        smb(445, 0x0210),
        sql_server(1433, (10, 50, 6000)),
    )


def _meeting_room() -> Services:
    tls = _own("meeting-room")
    return (
        http(80, "lighttpd/1.4.59", title="Meeting room"),
        http(8008, "lighttpd/1.4.59", status="404 Not Found", title="404 Not Found"),
        SimService(8009, name="castv2", tls=tls),
        http(8443, "lighttpd/1.4.59", title="Meeting room", tls=tls),
    )


def _monitor() -> Services:
    html = "Content-Type: text/html; charset=utf-8"
    guard = ("X-Content-Type-Options: nosniff", "X-Frame-Options: deny", "X-Xss-Protection: 1; mode=block")
    login = ("Cache-Control: no-store", html, "Location: /login", *guard)
    return (
        ssh(22, _NEW),
        http(80, "Apache/2.4.59 (Debian)", title="Apache2 Debian Default Page: It works"),
        go_http(3000, "302 Found", login, b'<a href="/login">Found</a>.\n\n'),
        go_http(9090, "302 Found", (html, "Location: /graph"), b'<a href="/graph">Found</a>.\n\n'),
    )


_MACHINES: dict[str, Callable[[], Services]] = {
    "gateway": lambda: (ssh(22, "Cisco-1.25"), http(443, "cisco-IOS", status="401 Unauthorized", tls=_own("gateway"))),
    "branch-router": lambda: (ssh(22, "OpenSSH_9.7"),),
    "printer": lambda: _printer("printer"),
    "nas": lambda: _nas("nas"),
    "reception": lambda: _windows(remote_desktop(3389)),
    "accounting": _windows,
    "design": lambda: (
        ssh(22, "OpenSSH_9.6"),
        kerberos(88, "LKDC:SHA1.0"),
        smb(445, windows=False),
        screen(5900, "003.889"),
    ),
    "workshop": lambda: (ssh(22, "OpenSSH_7.9p1 Raspbian-10+deb10u2"), rpc(111, 100000, 2, 4)),
    "meeting-room": _meeting_room,
    "camera": _camera,
    "phone-1": lambda: _phone("snomD785/10.1.127.10", "snom D785"),
    "phone-2": lambda: (http(80, "snom embedded", title="snom D785"), silent(5060)),
    "access-point": lambda: (
        ssh(22, "dropbear_2022.83"),
        http(80, "lighttpd/1.4.69", title="Access point"),
        https(443, "lighttpd/1.4.69", certificate(f"access-point.{_DOMAIN}"), version="TLSv1.2", title="Access point"),
    ),
    "www": lambda: (
        http(80, "nginx/1.22.1", status="301 Moved Permanently", headers=(f"Location: https://www.{_DOMAIN}/",)),
        https(443, "nginx/1.22.1", certificate(f"www.{_DOMAIN}", _DOMAIN, issuer=_AUTHORITY), title="Demo Example"),
    ),
    "mail": _mail,
    # The control channel of BIND lets only its own machine in.
    "dns": lambda: (*dns(53, "9.18.27"), wrapped(953)),
    "db": lambda: (ssh(22, _NEW), postgresql(5432, _own("db"))),
    "cache": lambda: (ssh(22, _OLD), redis(6379, "7.0.15"), memcached(11211, "1.6.18")),
    "git": lambda: (
        ssh(22, _NEW),
        http(80, "nginx", status="301 Moved Permanently", headers=(f"Location: https://git.{_DOMAIN}/",)),
        https(
            443,
            "nginx",
            certificate(f"git.{_DOMAIN}", issuer=_AUTHORITY),
            headers=("Set-Cookie: i_like_gitea=7f2e6b90d153; Path=/; HttpOnly",),
            title="Gitea: Git with a cup of tea",
        ),
        git_daemon(9418),
    ),
    # A database for tests, on a port where nobody would look for one.
    "build": lambda: (ssh(22, "OpenSSH_8.9p1 Ubuntu-3ubuntu0.10"), _jenkins(), mysql(50000, "8.0.37-0ubuntu0.22.04.3")),
    "directory": _directory,
    "backup": lambda: (ssh(22, "OpenSSH_9.6 FreeBSD-20240806"), rsync(873, "31.0")),
    "monitor": _monitor,
    "legacy": _legacy,
    "branch-nas": lambda: (
        ssh(22, "OpenSSH_8.2"),
        http(80, "nginx"),
        smb(445, samba="BRANCH-NAS"),
        postgresql(5000, _own("branch-nas")),
    ),
    "branch-till-1": lambda: _windows(remote_desktop(3389)),
    "branch-till-2": lambda: _windows(remote_desktop(3389)),
    "branch-printer": lambda: _printer("branch-printer"),
    "scanner": lambda: (ssh(22, _NEW), http(631, "CUPS/2.4 IPP/2.1", title="Home - CUPS 2.4.2")),
    "branch-camera": lambda: (http(80, "App-webs/", title="index"), rtsp(554, "Hipcam RealServer/V1.0")),
}
