"""Chat: IRC servers and gateways, XMPP servers."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.private_files import with_files, with_tree
from tests.servers.recipes.unpacked import unpacked

# Says of every name that it does not exist, so that nobody waits for a name server that is not there.
NO_NAMES = """\
import socket

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.77", 53))
while True:
    question, address = server.recvfrom(512)
    server.sendto(question[:2] + b"\\x81\\x83" + question[4:6] + bytes(6) + question[12:], address)
"""


def _ngircd(place: Place) -> None:
    text = (
        "[Global]\nName = irc.example\nInfo = Example\nPorts = 6667\nListen = 0.0.0.0\nServerUID = nobody\n"
        "ServerGID = nogroup\nMotdPhrase = Welcome\n[Limits]\nMaxConnectionsIP = 0\n"
        "[Options]\nIdent = no\nDNS = no\nPAM = no\n"
    )
    place.run("ngircd", "-n", "-f", str(place.write("ngircd.conf", text)))


def _inspircd(place: Place) -> None:
    text = (
        '<server name="irc.example" description="Example" network="Example">\n'
        '<admin name="Example" nick="example" email="admin@host.example">\n'
        '<bind address="0.0.0.0" port="6668" type="clients">\n'
        '<connect allow="*" resolvehostnames="no" localmax="1000" globalmax="1000">\n'
        f'<pid file="{place.folder}/pid">\n<options casemapping="ascii">\n'
    )
    path = str(place.write("inspircd.conf", text))
    place.run("inspircd", "--nofork", "--nolog", "--runasroot", f"--config={path}")


def _bitlbee(place: Place) -> None:
    folder = place.make_folder("state")
    path = str(place.write("bitlbee.conf", "[settings]\nRunMode = Daemon\nUser = nobody\n"))
    place.run("bitlbee", "-D", "-n", "-i", "0.0.0.0", "-p", "2668", "-c", path, "-d", str(folder), "-P", "/dev/null")


def _znc(place: Place) -> None:
    text = (
        "Version = 1.8.2\n<Listener only>\n Port = 2669\n IPv4 = true\n IPv6 = false\n SSL = false\n</Listener>\n"
        "<User example>\n Pass = plain#secret#\n Admin = true\n Nick = example\n</User>\n"
    )
    folder = place.make_folder("znc", user="nobody")
    place.make_folder("znc/configs", user="nobody")
    place.write("znc/configs/znc.conf", text, user="nobody")
    place.run("znc", "--foreground", "--datadir", str(folder), user="nobody")


def _prosody(place: Place) -> None:
    data = place.make_folder("data", user="prosody")
    text = (
        f'daemonize = false\nrun_as_root = true\npidfile = "{place.folder}/pid"\ndata_path = "{data}"\n'
        'log = { { levels = { min = "info" }, to = "console" } }\n'
        'modules_enabled = { "tls", "saslauth", "roster", "disco", "dialback" }\n'
        "c2s_ports = { 5222 }\nc2s_direct_tls_ports = { 5223 }\ns2s_ports = { 5269 }\n"
        f'ssl = {{ certificate = "{place.certificate}", key = "{place.key}" }}\n'
        f'VirtualHost "{place.host_name}"\n'
    )
    place.run("prosody", "--config", str(place.write("prosody.cfg.lua", text)), "-F", "--root")


def _hybrid(place: Place) -> None:
    state = place.make_folder("state", 0o777)
    text = (
        'serverinfo { name = "irc.example"; description = "Example"; network_name = "Example"; sid = "0AA"; };\n'
        'admin { name = "Example"; };\nclass { name = "users"; number_per_ip_local = 100; number_per_ip_global = 100;'
        " max_number = 100; sendq = 100 kbytes; };\n"
        'auth { user = "*@*"; class = "users"; };\nlisten { host = "0.0.0.0"; port = 2671; };\n'
        "general { disable_auth = yes; throttle_count = 1000; };\n"
    )
    path = str(place.write("ircd.conf", text))
    place.run("/usr/bin/python3", str(place.write("names.py", NO_NAMES)))
    asks = with_files({"/etc/resolv.conf": str(place.write("resolv.conf", "nameserver 127.0.0.77\n"))})
    program = (
        *with_tree(str(unpacked("ircd-hybrid"))),
        "setpriv",
        "--reuid=nobody",
        "--regid=nogroup",
        "--clear-groups",
    )
    files = (
        "-configfile",
        path,
        "-pidfile",
        f"{state}/pid",
        "-logfile",
        f"{state}/log",
        "-dlinefile",
        f"{state}/dlines",
    )
    place.run(*asks, *program, "ircd-hybrid", "-foreground", *files)


def _ejabberd(place: Place) -> None:
    """Without the port mapper: a fixed port for other nodes, of which there are none."""
    folder = place.make_folder("state", user="ejabberd")
    settings = (
        "ERL_DIST_PORT=2523\nERLANG_NODE=ejabberd@localhost\nINET_DIST_INTERFACE=127.0.0.1\n"
        f"EJABBERD_PID_PATH={folder}/pid\nCONTRIB_MODULES_PATH={folder}\n"
    )
    text = (
        f"hosts:\n  - {place.host_name}\nloglevel: warning\ncertfiles:\n  - {folder}/both.pem\nlisten:\n"
        "  - {port: 2522, ip: '0.0.0.0', module: ejabberd_c2s, starttls: true, access: c2s}\n"
        "  - {port: 2524, ip: '0.0.0.0', module: ejabberd_s2s_in}\n"
        "access_rules:\n  c2s:\n    allow: all\nmodules:\n  mod_disco: {}\n  mod_caps: {}\n"
    )
    place.write("state/both.pem", place.certificate.read_bytes() + place.key.read_bytes(), user="ejabberd")
    configuration = str(place.write("state/ejabberd.yml", text, user="ejabberd"))
    control = str(place.write("state/ejabberdctl.cfg", settings, user="ejabberd"))
    folders = ("--config-dir", str(folder), "--spool", str(folder), "--logs", str(folder))
    files = ("--config", configuration, "--ctl-config", control)
    place.run("ejabberdctl", *folders, *files, "foreground", user="ejabberd", env={"HOME": str(folder)})


CHAT = (
    Recipe(
        "ngircd",
        ("ngircd",),
        (Listener(6667, service="irc", product="ngIRCd", version="@ngircd"),),
        _ngircd,
        shifted=False,
    ),
    Recipe("inspircd", ("inspircd",), (Listener(6668, service="irc", product="InspIRCd"),), _inspircd),
    Recipe("bitlbee", ("bitlbee",), (Listener(2668, service="irc", product="BitlBee IRCd"),), _bitlbee, light=True),
    Recipe("znc", ("znc",), (Listener(2669, service="http", product="ZNC IRC bouncer"),), _znc),
    Recipe(
        "prosody",
        ("prosody",),
        (
            Listener(5222, service="xmpp-client", product="Prosody"),
            Listener(5223, tls=True, service="xmpp-client", product="Prosody"),
            Listener(5269, service="xmpp-server", product="Prosody"),
        ),
        _prosody,
    ),
    Recipe("ircd-hybrid", (), (Listener(2671, service="irc", product="ircd-hybrid"),), _hybrid),
    Recipe(
        "ejabberd",
        ("ejabberd",),
        (
            Listener(2522, service="xmpp-client", product="ejabberd"),
            Listener(2524, service="xmpp-server", product="ejabberd"),
        ),
        _ejabberd,
        seconds=40.0,
    ),
)
