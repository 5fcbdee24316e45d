"""Infrastructure: monitoring agents, scanners for viruses and spam, queues, displays, Tor, players, port mappers."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.private_files import without_name_server

# The MD5 sum and the size of the EICAR test file: a database of one line, so that the scanner starts.
SIGNATURES = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n"


def _munin(place: Place) -> None:
    state = place.make_folder("state")
    text = (
        f"log_level 2\nlog_file /dev/stderr\npid_file {state}/pid\nbackground 0\nsetsid 0\nuser root\ngroup root\n"
        f"host_name {place.host_name}\nallow ^.*$\nhost *\nport 4949\n"
    )
    place.run("munin-node", "--config", str(place.write("munin-node.conf", text)))


def _zabbix_agent(place: Place) -> None:
    text = (
        f"PidFile={place.folder}/pid\nLogType=console\nServer=0.0.0.0/0\nListenPort=10050\nAllowRoot=1\n"
        f"Hostname={place.host_name}\n"
    )
    place.run("zabbix_agentd", "-f", "-c", str(place.write("agent.conf", text)))


def _nrpe(place: Place) -> None:
    text = (
        f"pid_file={place.folder}/pid\nserver_port=5666\nnrpe_user=nobody\nnrpe_group=nogroup\ndebug=0\n"
        "command[check_true]=/bin/true\n"
    )
    place.run("nrpe", "-n", "-f", "-c", str(place.write("nrpe.cfg", text)))


def _ups(place: Place) -> None:
    state = place.make_folder("state", 0o700)
    place.write("ups.conf", "[example]\n driver = dummy-ups\n port = example.dev\n desc = Example\n")
    place.write("upsd.conf", "LISTEN 0.0.0.0 3493\n", 0o600)
    place.write("upsd.users", "", 0o600)
    environment = {"NUT_CONFPATH": str(place.folder), "NUT_STATEPATH": str(state), "NUT_ALTPIDPATH": str(state)}
    place.run("/lib/nut/upsd", "-F", "-u", "root", env=environment)


def _gpsd(place: Place) -> None:
    control = str(place.folder / "control")
    place.run("gpsd", "-N", "-G", "-n", "-S", "2947", "-F", control, "-P", str(place.folder / "pid"))


def _gearman(place: Place) -> None:
    place.run("gearmand", "--listen=0.0.0.0", "--port=4730", "--log-file=stderr", "--threads=1")


def _beanstalkd(place: Place) -> None:
    place.run("beanstalkd", "-l", "0.0.0.0", "-p", "11300")


def _tor(place: Place) -> None:
    data = place.make_folder("data", 0o700)
    text = (
        f"DataDirectory {data}\nSocksPort 0.0.0.0:9050\nControlPort 0.0.0.0:9051\nCookieAuthentication 1\n"
        "Log warn stderr\n"
    )
    place.run("tor", "-f", str(place.write("torrc", text)), "--defaults-torrc", "/dev/null")


def _clamd(place: Place) -> None:
    place.write("database/example.hdb", SIGNATURES)
    text = f"Foreground yes\nDatabaseDirectory {place.folder}/database\nTCPSocket 3310\nTCPAddr 0.0.0.0\nMaxThreads 1\n"
    place.run("clamd", "-c", str(place.write("clamd.conf", text)))


def _spamd(place: Place) -> None:
    options = ("-i", "0.0.0.0", "-p", "783", "-A", "0.0.0.0/0", "-L", "-x", "-m", "2", "-s", "stderr")
    place.run(*without_name_server(place), "spamd", *options, "-r", str(place.folder / "pid"))


def _lcd(place: Place) -> None:
    text = (
        "[server]\nDriverPath=/usr/lib/x86_64-linux-gnu/lcdproc/\nDriver=text\nBind=0.0.0.0\nPort=13666\nUser=nobody\n"
        "Foreground=yes\nReportToSyslog=no\nServerScreen=no\nHello=Hello\nGoodBye=Bye\n[text]\nSize=20x4\n"
    )
    place.run("LCDd", "-c", str(place.write("LCDd.conf", text)), "-f")


def _mpd(place: Place) -> None:
    folder = place.make_folder("music")
    text = (
        f'music_directory "{folder}"\ndb_file "{place.folder}/database"\nbind_to_address "0.0.0.0"\nport "6600"\n'
        'log_file "/dev/stderr"\naudio_output {\n type "null"\n name "null"\n}\n'
    )
    place.run("mpd", "--no-daemon", str(place.write("mpd.conf", text)))


def _epmd(place: Place) -> None:
    place.run("epmd", "-port", "4369")


def _sane(place: Place) -> None:
    place.write("saned.conf", "0.0.0.0/0\n")
    place.write("dll.conf", "")
    place.run("saned", "-l", "-e", "-p", "6566", "-b", "0.0.0.0", env={"SANE_CONFIG_DIR": str(place.folder)})


def _vnc(place: Place) -> None:
    """One server for both: RFB on 5900, the X protocol on 6041. Its lock is in a /tmp of its own."""
    alone = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /tmp && cd / && exec "$0" "$@"')
    options = ("-SecurityTypes", "None", "-listen", "tcp", "-nolisten", "local", "-geometry", "640x480")
    place.run(*alone, "Xvnc", ":41", "-rfbport", "5900", "-interface", "0.0.0.0", *options)


def _ganglia(place: Place) -> None:
    text = (
        'globals { daemonize = no setuid = no }\ncluster { name = "Example" }\nudp_recv_channel { port = 8649 }\n'
        "tcp_accept_channel { port = 8649 }\n"
    )
    place.run("gmond", "-f", "-c", str(place.write("gmond.conf", text)))


def _dante(place: Place) -> None:
    text = (
        "logoutput: stderr\ninternal: 0.0.0.0 port = 1080\nexternal: lo\nclientmethod: none\nsocksmethod: none\n"
        "user.privileged: root\nuser.unprivileged: nobody\n"
        "client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\nsocks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }\n"
    )
    place.run("danted", "-f", str(place.write("danted.conf", text)), "-p", str(place.folder / "pid"))


def _lirc(place: Place) -> None:
    """A driver that has no device: it listens all the same."""
    files = (f"--output={place.folder}/socket", f"--pidfile={place.folder}/pid", "--device=/dev/null")
    configuration = str(place.write("lircd.conf", ""))
    place.run("lircd", "--nodaemon", "--driver=default", "--listen=0.0.0.0:8765", *files, configuration)


def _conserver(place: Place) -> None:
    text = (
        "config * {\n}\ndefault full {\n rw *;\n}\n"
        "console example {\n master localhost;\n type exec;\n exec /bin/cat;\n}\naccess * {\n allowed 0.0.0.0/0;\n}\n"
    )
    files = ("-C", str(place.write("conserver.cf", text, 0o600)), "-P", str(place.write("passwd", "")))
    place.run("conserver", *files, "-p", "2782", "-b", "2783", "-M", "0.0.0.0")


INFRASTRUCTURE = (
    Recipe(
        "munin",
        ("munin-node",),
        (Listener(4949, service="munin", product="Munin node", version="@munin-node"),),
        _munin,
    ),
    Recipe(
        "zabbix-agent",
        ("zabbix-agent",),
        (Listener(10050, service="zabbix", product="Zabbix agent", version="@zabbix-agent"),),
        _zabbix_agent,
        light=True,
    ),
    Recipe(
        "nrpe",
        ("nagios-nrpe-server",),
        (Listener(5666, service="nrpe", product="Nagios NRPE", version="@nagios-nrpe-server"),),
        _nrpe,
        light=True,
    ),
    Recipe(
        "nut",
        ("nut-server",),
        (Listener(3493, service="nut", product="Network UPS Tools upsd", version="@nut-server"),),
        _ups,
    ),
    Recipe("gpsd", ("gpsd",), (Listener(2947, service="gpsd", product="gpsd", version="@gpsd"),), _gpsd, light=True),
    Recipe(
        "gearman",
        ("gearman-job-server",),
        (Listener(4730, service="gearman", product="Gearman job server"),),
        _gearman,
    ),
    Recipe(
        "beanstalkd",
        ("beanstalkd",),
        (Listener(11300, service="beanstalkd", product="beanstalkd", version="@beanstalkd"),),
        _beanstalkd,
        light=True,
    ),
    Recipe(
        "tor",
        ("tor",),
        (
            Listener(9050, service="tor-socks", product="Tor SOCKS proxy"),
            Listener(9051, service="tor-control", product="Tor control port", version="@tor"),
        ),
        _tor,
    ),
    Recipe(
        "clamav",
        ("clamav-daemon",),
        (Listener(3310, service="clam", product="ClamAV clamd", version="@clamav-daemon"),),
        _clamd,
    ),
    Recipe(
        "spamassassin",
        ("spamd",),
        (Listener(783, service="spamassassin", product="SpamAssassin spamd"),),
        _spamd,
        seconds=60.0,
    ),
    Recipe(
        "lcdproc",
        ("lcdproc",),
        (Listener(13666, service="lcdproc", product="LCDproc", version="@lcdproc"),),
        _lcd,
        light=True,
    ),
    Recipe("mpd", ("mpd",), (Listener(6600, service="mpd", product="Music Player Daemon"),), _mpd),
    Recipe(
        "epmd",
        ("erlang-base",),
        (Listener(4369, service="epmd", product="Erlang Port Mapper Daemon"),),
        _epmd,
        light=True,
    ),
    Recipe("saned", ("sane-utils",), (Listener(6566, service="sane-port", product="saned"),), _sane),
    Recipe(
        "vnc",
        ("tigervnc-standalone-server",),
        (Listener(5900, service="vnc", product="VNC"), Listener(6041, service="X11")),
        _vnc,
    ),
    Recipe("ganglia", ("ganglia-monitor",), (Listener(8649, service="ganglia", product="Ganglia gmond"),), _ganglia),
    Recipe("dante", ("dante-server",), (Listener(1080, service="socks5"),), _dante),
    Recipe("lirc", ("lirc",), (Listener(8765, service="lirc", product="LIRC", version="@lirc"),), _lirc, light=True),
    Recipe("conserver", ("conserver-server",), (Listener(2782, service="conserver", product="Conserver"),), _conserver),
)
