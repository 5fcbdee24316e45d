"""File transfer: FTP servers of several makers, plain and with TLS, rsync, version control, line printers."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.text_shells import xinetd
from tests.servers.recipes.unpacked import unpacked

PYFTPDLIB = """\
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

FTPHandler.authorizer = DummyAuthorizer()
FTPServer(("", int(sys.argv[1])), FTPHandler).serve_forever()
"""


def _vsftpd(place: Place) -> None:
    """Plain with AUTH TLS on 21, TLS from the first byte on 990."""
    empty = place.make_folder("empty")
    common = (
        f"background=NO\nlisten=YES\nanonymous_enable=YES\nlocal_enable=NO\nanon_root={empty}\nsecure_chroot_dir={empty}\n"
        f"ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=NO\nforce_anon_logins_ssl=NO\n"
        f"rsa_cert_file={place.certificate}\nrsa_private_key_file={place.key}\nseccomp_sandbox=NO\n"
    )
    plain = place.write("plain.conf", f"{common}listen_port=21\n")
    implicit = place.write("implicit.conf", f"{common}listen_port=990\nimplicit_ssl=YES\n")
    place.run("/usr/sbin/vsftpd", str(plain))
    place.run("/usr/sbin/vsftpd", str(implicit))


def _proftpd(place: Place) -> None:
    """FTP with AUTH TLS on 2121, SFTP on 2122."""
    root, folder = unpacked("proftpd-core", "proftpd-mod-crypto"), place.folder
    state = place.make_folder("state")  # its scoreboard may not be where everybody writes
    key = folder / "host_key"
    place.once("ssh-keygen", "-q", "-m", "PEM", "-t", "rsa", "-N", "", "-f", str(key))
    key.chmod(0o600)
    tls_key = place.write("tls.key", place.key.read_bytes(), 0o600)
    text = (
        f'ModulePath {root}/usr/lib/proftpd\nLoadModule mod_tls.c\nLoadModule mod_sftp.c\nServerName "Example"\n'
        f"ServerType standalone\nPort 2121\nUser nobody\nGroup nogroup\nUseReverseDNS off\nUseIPv6 off\n"
        f"PidFile {folder}/pid\nScoreboardFile {state}/scoreboard\nWtmpLog off\nDefaultServer on\n"
        f"TLSEngine on\nTLSRSACertificateFile {place.certificate}\nTLSRSACertificateKeyFile {tls_key}\n"
        f"<VirtualHost 0.0.0.0>\nPort 2122\nSFTPEngine on\nTLSEngine off\nSFTPHostKey {key}\n</VirtualHost>\n"
    )
    place.run(f"{root}/usr/sbin/proftpd", "-n", "-q", "-c", str(place.write("proftpd.conf", text)))


def _pure_ftpd(place: Place) -> None:
    root = unpacked("pure-ftpd")
    place.run(f"{root}/usr/sbin/pure-ftpd", "-S", "2123", "-g", str(place.folder / "pid"), "-H", "-E", "-Y", "0")


def _inetutils_ftpd(place: Place) -> None:
    root = unpacked("inetutils-ftpd")
    xinetd(place, ("2124", "root", f"{root}/usr/sbin/ftpd"))


def _pyftpdlib(place: Place) -> None:
    place.run("/usr/bin/python3", str(place.write("server.py", PYFTPDLIB)), "2125")


def _twisted(place: Place) -> None:
    root = str(place.make_folder("root"))
    place.run("twistd3", "-n", "--pidfile=", "ftp", "--port", "2126", "--root", root, "--userAnonymous", "anonymous")


def _rsync(place: Place) -> None:
    text = f"use chroot = no\nlog file = /dev/stderr\n[files]\n path = {place.folder}\n read only = yes\n"
    place.run("rsync", "--daemon", "--no-detach", f"--config={place.write('rsyncd.conf', text)}")


def _git(place: Place) -> None:
    place.once("git", "init", "-q", "--bare", "repository.git")
    place.run("git", "daemon", "--reuseaddr", f"--base-path={place.folder}", "--port=9418", str(place.folder))


def _svnserve(place: Place) -> None:
    place.once("svnadmin", "create", "repository")
    place.run("svnserve", "--daemon", "--foreground", "-r", str(place.folder))


def _cvs(place: Place) -> None:
    repository = str(place.folder / "cvsroot")
    place.once("cvs", "-d", repository, "init")
    xinetd(place, ("2401", "root", "/usr/bin/cvs", "-f", f"--allow-root={repository}", "pserver"))


def _distcc(place: Place) -> None:
    options = ("--no-detach", "--daemon", "--log-stderr", "--port", "3632", "--user", "nobody", "--allow", "0.0.0.0/0")
    place.run("distccd", *options, "--jobs", "8")


def _lpd(place: Place) -> None:
    """The printing daemon of BSD, which prints for no other host; only it sees its lock and its socket."""
    own = "for each in /run /var/spool; do mount -t tmpfs none $each; done; mkdir -p /var/spool/lpd/lp"
    before = ("unshare", "--mount", "sh", "-c", f'{own} && exec "$0" "$@"')
    place.once(*before, "lpd", "-l")


FILES = (
    Recipe(
        "vsftpd",
        ("vsftpd",),
        (
            Listener(21, service="ftp", product="vsftpd", version="@vsftpd"),
            Listener(990, tls=True, service="ftp", product="vsftpd", version="@vsftpd"),
        ),
        _vsftpd,
        light=True,
    ),
    Recipe(
        "proftpd",
        ("libmemcachedutil2", "libpcre2-posix3", "openssh-client"),
        (Listener(2121, service="ftp", product="ProFTPD"), Listener(2122, service="ssh", product="ProFTPD mod_sftp")),
        _proftpd,
    ),
    Recipe("pure-ftpd", (), (Listener(2123, service="ftp", product="Pure-FTPd"),), _pure_ftpd),
    Recipe(
        "inetutils-ftpd",
        ("xinetd",),
        (Listener(2124, service="ftp", product="GNU Inetutils FTPd"),),
        _inetutils_ftpd,
    ),
    Recipe(
        "pyftpdlib",
        ("python3-pyftpdlib",),
        (Listener(2125, service="ftp", product="pyftpdlib", version="@python3-pyftpdlib"),),
        _pyftpdlib,
        light=True,
    ),
    Recipe(
        "twisted-ftp",
        ("python3-twisted",),
        (Listener(2126, service="ftp", product="Twisted FTP server", version="@python3-twisted"),),
        _twisted,
    ),
    Recipe("rsync", ("rsync",), (Listener(873, service="rsync"),), _rsync, light=True),
    Recipe("git", ("git",), (Listener(9418, service="git", product="git daemon"),), _git, light=True),
    Recipe(
        "svnserve", ("subversion",), (Listener(3690, service="svnserve", product="Subversion svnserve"),), _svnserve
    ),
    Recipe("cvs", ("cvs", "xinetd"), (Listener(2401, service="cvspserver", product="cvs pserver"),), _cvs, light=True),
    Recipe("distcc", ("distcc",), (Listener(3632, service="distccd", product="distccd"),), _distcc, light=True),
    Recipe("lpd", ("lpr",), (Listener(515, service="printer", product="BSD lpd"),), _lpd),
)
