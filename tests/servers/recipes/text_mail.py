"""Mail and news: SMTP, LMTP, POP3, IMAP, ManageSieve, NNTP; with STARTTLS and with TLS from the first byte."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.private_files import with_tree, with_users
from tests.servers.recipes.text_shells import xinetd
from tests.servers.recipes.unpacked import unpacked

TLS_FIRST = ("imaps", "pop3s")
# Its folders are compiled in; empty ones that only it sees stand in for them.
OWN_FOLDERS = (
    "for each in /var/lib /var/spool /run; do mount -t tmpfs none $each; done;"
    ' mkdir -p /var/lib/opensmtpd/empty && mkdir -m 711 /var/spool/smtpd && exec "$0" "$@"'
)


def _postfix(place: Place) -> None:
    """25 with STARTTLS, 465 with TLS from the first byte, 587 for submission."""
    folder = place.folder
    data = place.make_folder("data", user="postfix")
    queue = place.make_folder("queue")
    place.write(
        "main.cf",
        f"compatibility_level = 3.6\nqueue_directory = {queue}\ndata_directory = {data}\nmail_owner = postfix\n"
        f"myhostname = {place.host_name}\nsmtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\n"
        f"smtpd_tls_cert_file = {place.certificate}\nsmtpd_tls_key_file = {place.key}\n"
        "smtpd_tls_security_level = may\nmaillog_file =\nalias_maps =\nalias_database =\nmynetworks = 127.0.0.0/8\n"
        "inet_protocols = all\n",
    )
    place.write(
        "master.cf",
        "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n"
        "465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
        "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
        "tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\nanvil unix - - n - 1 anvil\n"
        "proxymap unix - - n - - proxymap\nscache unix - - n - 1 scache\n",
    )
    place.folder.chmod(0o755)
    place.once("postfix", "-c", str(folder), "check")
    place.run("/usr/lib/postfix/sbin/master", "-c", str(folder), "-d")


def _exim(place: Place) -> None:
    root = unpacked("exim4-daemon-light", "exim4-base")
    before = with_users(place, "Debian-exim")
    spool = place.make_folder("spool", 0o777)
    text = (
        f"primary_hostname = {place.host_name}\nspool_directory = {spool}\nlog_file_path = {spool}/%slog\n"
        f"tls_certificate = {place.certificate}\ntls_privatekey = {place.key}\ntls_advertise_hosts = *\n"
        "daemon_smtp_ports = 2525\nkeep_environment =\nacl_smtp_rcpt = deny\npid_file_path =\nbegin acl\ndeny:\n deny\n"
    )
    path = place.write("exim.conf", text)
    place.folder.chmod(0o755)
    place.run(*before, f"{root}/usr/sbin/exim4", "-bdf", "-C", str(path))


def _opensmtpd(place: Place) -> None:
    root = unpacked("opensmtpd")
    before = with_users(place, "opensmtpd", "opensmtpq")
    text = 'listen on 0.0.0.0 port 2526\naction "local" mbox\nmatch from local for local action "local"\n'
    program = (*before, "sh", "-c", OWN_FOLDERS, f"{root}/usr/sbin/smtpd")
    place.run(*program, "-d", "-f", str(place.write("smtpd.conf", text)))


def _dovecot(place: Place) -> None:
    folder = place.folder
    ports = {
        "imap-login": {"imap": 143, "imaps": 993},
        "pop3-login": {"pop3": 110, "pop3s": 995},
        "lmtp": {"lmtp": 24},
        "managesieve-login": {"sieve": 4190},
    }
    listeners = ""
    for service, numbers in ports.items():
        inet = "".join(
            f" inet_listener {name} {{\n port = {number}\n ssl = {'yes' if name in TLS_FIRST else 'no'}\n }}\n"
            for name, number in numbers.items()
        )
        listeners += f"service {service} {{\n{inet}}}\n"
    text = (
        f"base_dir = {folder}/base\nstate_dir = {folder}/state\nprotocols = imap pop3 lmtp sieve\n"
        "log_path = /dev/stderr\n"
        f"ssl = yes\nssl_cert = <{place.certificate}\nssl_key = <{place.key}\nmail_location = maildir:{folder}/mail\n"
        f"listen = *\nhostname = {place.host_name}\npassdb {{\n driver = static\n args = password=secret\n}}\n"
        f"userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={folder}/home\n}}\n{listeners}"
    )
    place.run("dovecot", "-F", "-c", str(place.write("dovecot.conf", text)))


def _courier(place: Place) -> None:
    """The login programs, which greet, run by xinetd; what they say on standard error is nobody's business."""
    root = unpacked("courier-imap", "courier-pop")
    programs = f"{root}/usr/lib/courier/courier"
    head = "#!/bin/sh\nexport TCPREMOTEIP=192.0.2.1 AUTHMODULES=authdaemon IMAP_STARTTLS=NO IMAP_CAPABILITY=IMAP4rev1\n"
    imap = f"exec {programs}/imaplogin {root}/usr/bin/imapd Maildir 2>/dev/null\n"
    pop3 = f"exec {programs}/courierpop3login {programs}/courierpop3d Maildir 2>/dev/null\n"
    xinetd(
        place,
        ("2143", "root", str(place.write("imap", head + imap, 0o755))),
        ("2110", "root", str(place.write("pop3", head + pop3, 0o755))),
    )


def _perdition(place: Place) -> None:
    for protocol, port in (("POP3", "2111"), ("IMAP4", "2144")):
        pid = str(place.folder / f"{protocol}.pid")
        options = ("--no_daemon", "--config_file", "/dev/null", "--pid_file", pid, "--map_library", "")
        rights = ("--username", "nobody", "--group", "nogroup", "--log_facility", "-")
        program = f"/usr/sbin/perdition.{protocol.lower()}"
        place.run(program, *options, *rights, "--listen_port", port, "--outgoing_server", "127.0.0.1")


def _cyrus(place: Place) -> None:
    root, folder = unpacked("cyrus-common", "cyrus-imapd", "cyrus-pop3d", "cyrus-nntpd"), place.folder
    before = with_users(place, "cyrus")
    for name in ("state", "mail", "proc", "lock", "socket", "sieve"):
        place.make_folder(name, 0o777)
    place.write(
        "imapd.conf",
        f"configdirectory: {folder}/state\nproc_path: {folder}/proc\nmboxname_lockpath: {folder}/lock\n"
        f"defaultpartition: default\npartition-default: {folder}/mail\nsievedir: {folder}/sieve\n"
        f"allowplaintext: yes\nservername: {place.host_name}\nsasl_pwcheck_method: auxprop\n"
        f"lmtpsocket: {folder}/socket/lmtp\nidlesocket: {folder}/socket/idle\nnotifysocket: {folder}/socket/notify\n",
    )
    services = {"imapd": 2145, "pop3d": 2112, "nntpd": 2120, "lmtpd -a": 2127, "timsieved": 2128}
    lines = "".join(
        f' {command.split()[0]} cmd="{command} -C {folder}/imapd.conf" listen="0.0.0.0:{port}" prefork=0\n'
        for command, port in services.items()
    )
    path = place.write("cyrus.conf", f"START {{\n}}\nSERVICES {{\n{lines}}}\nEVENTS {{\n}}\n")
    program = (*with_tree(str(root)), "/usr/lib/cyrus/bin/master")
    place.run(*before, *program, "-C", f"{folder}/imapd.conf", "-M", str(path), "-p", f"{folder}/pid")


def _leafnode(place: Place) -> None:
    xinetd(place, ("119", "root", "/usr/sbin/leafnode"))


MAIL = (
    Recipe(
        "postfix",
        ("postfix",),
        (
            Listener(25, service="smtp", product="Postfix smtpd"),
            Listener(465, tls=True, service="smtp", product="Postfix smtpd"),
            Listener(587, service="smtp", product="Postfix smtpd"),
        ),
        _postfix,
    ),
    Recipe("exim", (), (Listener(2525, service="smtp", product="Exim smtpd"),), _exim),
    Recipe("opensmtpd", ("libssl3",), (Listener(2526, service="smtp", product="OpenSMTPD"),), _opensmtpd),
    Recipe(
        "dovecot",
        ("dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd", "dovecot-managesieved"),
        (
            Listener(24, service="lmtp", product="Dovecot lmtpd"),
            Listener(110, service="pop3", product="Dovecot pop3d"),
            Listener(143, service="imap", product="Dovecot imapd"),
            Listener(993, tls=True, service="imap", product="Dovecot imapd"),
            Listener(995, tls=True, service="pop3", product="Dovecot pop3d"),
            Listener(4190, service="sieve", product="Dovecot Pigeonhole sieve"),
        ),
        _dovecot,
    ),
    Recipe(
        "courier",
        ("courier-authlib", "libcourier-unicode4", "xinetd"),
        (
            Listener(2110, service="pop3", product="Courier pop3d"),
            Listener(2143, service="imap", product="Courier Imapd"),
        ),
        _courier,
    ),
    Recipe(
        "perdition",
        ("perdition",),
        (
            Listener(2111, service="pop3", product="Perdition pop3d"),
            Listener(2144, service="imap", product="Perdition imapd"),
        ),
        _perdition,
    ),
    Recipe(
        "leafnode",
        ("leafnode", "xinetd"),
        (Listener(119, service="nntp", product="Leafnode"),),
        _leafnode,
    ),
    Recipe(
        "cyrus",
        ("libical3", "libxapian30", "libzephyr4"),
        (
            Listener(2112, service="pop3", product="Cyrus pop3d"),
            Listener(2120, service="nntp", product="Cyrus nntpd"),
            Listener(2127, service="lmtp", product="Cyrus lmtpd"),
            Listener(2128, service="sieve", product="Cyrus timsieved"),
            Listener(2145, service="imap", product="Cyrus imapd"),
        ),
        _cyrus,
    ),
)
