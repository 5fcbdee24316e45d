"""Applications that are reached by HTTP: ports of their own where nobody else has them, else 8500 to 8999."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe


def _cups(place: Place) -> None:
    folder = place.folder
    for name in ("spool", "cache", "state"):
        place.make_folder(name, 0o777)
    files = (
        f"ServerRoot {folder}\nRequestRoot {folder}/spool\nCacheDir {folder}/cache\nStateDir {folder}/state\n"
        "ErrorLog stderr\nAccessLog stderr\nPageLog stderr\nSystemGroup lpadmin\n"
    )
    text = "Listen 0.0.0.0:631\nServerAlias *\nBrowsing No\n<Location />\nOrder allow,deny\nAllow all\n</Location>\n"
    place.run(
        "/usr/sbin/cupsd", "-f", "-c", str(place.write("cupsd.conf", text)), "-s", str(place.write("files.conf", files))
    )


def _transmission(place: Place) -> None:
    place.run(
        "transmission-daemon", "--foreground", "--config-dir", str(place.folder), "--port", "9091", "--allowed", "*"
    )


def _icecast(place: Place) -> None:
    text = (
        "<icecast><hostname>host.example</hostname><listen-socket><port>8000</port></listen-socket>"
        f"<authentication><source-password>example</source-password><admin-user>admin</admin-user>"
        "<admin-password>example</admin-password></authentication>"
        f"<paths><logdir>{place.folder}</logdir><webroot>/usr/share/icecast2/web</webroot>"
        "<adminroot>/usr/share/icecast2/admin</adminroot></paths></icecast>\n"
    )
    place.run("icecast2", "-c", str(place.write("icecast.xml", text)), user="nobody")


def _minidlna(place: Place) -> None:
    media, data = place.make_folder("media"), place.make_folder("data")
    text = f"port=8200\nmedia_dir={media}\ndb_dir={data}\nlog_dir={place.folder}\nfriendly_name=example\n"
    place.run("/usr/sbin/minidlnad", "-S", "-f", str(place.write("minidlna.conf", text)), "-P", f"{place.folder}/pid")


def _prometheus(place: Place) -> None:
    settings = place.write("prometheus.yml", "global: {}\n")
    data = place.make_folder("data")
    place.run("prometheus", f"--config.file={settings}", f"--storage.tsdb.path={data}", "--web.listen-address=:9090")


def _node_exporter(place: Place) -> None:
    place.run("prometheus-node-exporter", "--web.listen-address=:8501")


def _alertmanager(place: Place) -> None:
    settings = place.write("alertmanager.yml", "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n")
    place.run(
        "prometheus-alertmanager",
        f"--config.file={settings}",
        f"--storage.path={place.make_folder('data')}",
        "--cluster.listen-address=",
        "--web.listen-address=:9093",
    )


def _pushgateway(place: Place) -> None:
    place.run("prometheus-pushgateway", "--web.listen-address=:8502")


def _blackbox(place: Place) -> None:
    settings = place.write("blackbox.yml", "modules: {}\n")
    place.run("prometheus-blackbox-exporter", f"--config.file={settings}", "--web.listen-address=:9115")


def _apt_cacher(place: Place) -> None:
    cache = place.make_folder("cache")
    place.run(
        "/usr/sbin/apt-cacher-ng", "foreground=1", "Port:3142", f"CacheDir:{cache}", f"LogDir:{place.folder}",
        "SupportDir:/usr/lib/apt-cacher-ng", "ReportPage:acng-report.html", f"SocketPath:{place.folder}/socket",
    )  # fmt: skip


def _radicale(place: Place) -> None:
    place.run(
        "radicale", "--config", "", "--server-hosts", "0.0.0.0:5232", "--auth-type", "none",
        "--storage-filesystem-folder", str(place.make_folder("data")),
    )  # fmt: skip


def _registry(place: Place) -> None:
    data = place.make_folder("data")
    text = f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {data}\nhttp:\n  addr: :8503\n"
    place.run("docker-registry", "serve", str(place.write("registry.yml", text)))


def _influxdb(place: Place) -> None:
    text = "".join(f'[{part}]\ndir = "{place.folder}/{part}"\n' for part in ("meta", "data"))
    text = 'reporting-disabled = true\nbind-address = "127.0.0.1:8599"\n' + text
    text += f'wal-dir = "{place.folder}/wal"\n[http]\nbind-address = ":8086"\n'
    place.run("influxd", "run", "-config", str(place.write("influxdb.conf", text)))


def _syncthing(place: Place) -> None:
    home = place.make_folder("home")
    place.once("syncthing", "generate", f"--home={home}", "--skip-port-probing", "--no-default-folder")
    place.run("syncthing", "serve", f"--home={home}", "--gui-address=0.0.0.0:8384", "--no-browser", "--no-restart")


def _rclone(place: Place) -> None:
    place.run("rclone", "serve", "http", "--addr", "0.0.0.0:8504", str(place.make_folder("data")))
    place.run("rclone", "serve", "webdav", "--addr", "0.0.0.0:8505", str(place.make_folder("files")))


def _aria2(place: Place) -> None:
    place.run("aria2c", "--enable-rpc", "--rpc-listen-all", "--rpc-listen-port=6800", "--no-conf")


def _qbittorrent(place: Place) -> None:
    place.run("sh", "-c", f"yes | qbittorrent-nox --profile={place.make_folder('profile')} --webui-port=8506")


def _deluge(place: Place) -> None:
    place.run("deluge-web", "--do-not-daemonize", "--config", str(place.make_folder("settings")), "--port", "8112")


def _netdata(place: Place) -> None:
    for name in ("cache", "lib", "logs"):
        place.make_folder(name)
    text = (
        f"[directories]\ncache = {place.folder}/cache\nlib = {place.folder}/lib\nlog = {place.folder}/logs\n"
        "[global]\nrun as user = root\n[web]\nbind to = 0.0.0.0:19999\n[ml]\nenabled = no\n[plugins]\n"
        + "".join(f"{name} = no\n" for name in ("apps", "cgroups", "python.d", "go.d", "charts.d", "tc", "proc"))
    )
    place.run("/usr/sbin/netdata", "-D", "-c", str(place.write("netdata.conf", text)), "-P", f"{place.folder}/pid")


def _jupyter(place: Place) -> None:
    place.run(
        "jupyter-notebook", "--allow-root", "--no-browser", "--ip=0.0.0.0", "--port=8888",
        f"--notebook-dir={place.make_folder('notes')}",
    )  # fmt: skip


def _cockpit(place: Place) -> None:
    place.run("/usr/lib/cockpit/cockpit-ws", "--no-tls", "--port=8507", "--address=0.0.0.0")


def _motion(place: Place) -> None:
    text = f"daemon off\nwebcontrol_port 8508\nwebcontrol_localhost off\nlog_file {place.folder}/motion.log\n"
    place.run("motion", "-n", "-c", str(place.write("motion.conf", text)))


def _powerdns(place: Place) -> None:
    text = (
        "local-port=8598\nlocal-address=127.0.0.1\nwebserver=yes\nwebserver-address=0.0.0.0\nwebserver-port=8509\n"
        f"webserver-allow-from=0.0.0.0/0\nsocket-dir={place.folder}\napi-key=example\n"
    )
    place.write("recursor.conf", text)
    place.run("/usr/sbin/pdns_recursor", f"--config-dir={place.folder}", "--daemon=no")


def _webhook(place: Place) -> None:
    place.run("webhook", "-nopanic", "-port", "8510", "-hooks", str(place.write("hooks.json", "[]\n")))


def _monit(place: Place) -> None:
    text = f"set daemon 60\nset idfile {place.folder}/id\nset statefile {place.folder}/state\n"
    text += "set httpd port 2812\n  allow example:example\n"
    place.run("/usr/bin/monit", "-I", "-c", str(place.write("monitrc", text, 0o600)), "-p", f"{place.folder}/pid")


def _websockify(place: Place) -> None:
    place.run("websockify", "8511", "127.0.0.1:1")


def _shellinabox(place: Place) -> None:
    place.run("shellinaboxd", "--port=4200", "--disable-ssl", "--service=/:nobody:nogroup:/:/bin/true", "--no-beep")


def _mercurial(place: Place) -> None:
    place.once("/usr/bin/hg", "init", str(place.folder / "repository"))
    place.run("/usr/bin/hg", "serve", "-R", str(place.folder / "repository"), "-p", "8512", "-n", "example")


def _fossil(place: Place) -> None:
    place.once("fossil", "init", "--admin-user", "root", str(place.folder / "example.fossil"), env={"USER": "root"})
    repository = str(place.folder / "example.fossil")
    place.run("fossil", "server", "--port", "8514", repository, env={"USER": "root"})


def _dnsdist(place: Place) -> None:
    text = (
        "setLocal('127.0.0.1:8597')\nnewServer('127.0.0.1:1')\nwebserver('0.0.0.0:8513')\n"
        "setWebserverConfig({password='example', apiKey='example', acl='0.0.0.0/0'})\n"
    )
    place.run("dnsdist", "--supervised", "-C", str(place.write("dnsdist.conf", text)))


def _mopidy(place: Place) -> None:
    text = f"[core]\ndata_dir = {place.folder}\ncache_dir = {place.folder}\n[http]\nhostname = 0.0.0.0\n"
    text += "[audio]\noutput = fakesink\n"
    place.run("mopidy", "--config", str(place.write("mopidy.conf", text)))


def _one(number: int, product: str = "", package: str = "", *, service: str = "http") -> tuple[Listener, ...]:
    """``package``: whose version the server tells."""
    return (Listener(number, service=service, product=product, version=f"@{package}" if package else ""),)


APPLICATIONS: tuple[Recipe, ...] = (
    Recipe("cups", ("cups-daemon",), _one(631, "CUPS", service="ipp"), _cups),
    Recipe(
        "transmission", ("transmission-daemon",), _one(9091, "Transmission BitTorrent management httpd"), _transmission
    ),
    Recipe("icecast2", ("icecast2",), _one(8000, "Icecast streaming media server", "icecast2"), _icecast),
    Recipe("minidlna", ("minidlna",), _one(8200, "MiniDLNA", "minidlna", service="upnp"), _minidlna),
    Recipe("prometheus", ("prometheus",), _one(9090, "Prometheus"), _prometheus),
    Recipe("node-exporter", ("prometheus-node-exporter",), _one(8501, "Prometheus Node Exporter"), _node_exporter),
    Recipe("alertmanager", ("prometheus-alertmanager",), _one(9093, "Prometheus Alertmanager"), _alertmanager),
    Recipe(
        "pushgateway",
        ("prometheus-pushgateway",),
        _one(8502, "Prometheus Pushgateway", "prometheus-pushgateway"),
        _pushgateway,
    ),
    Recipe(
        "blackbox-exporter", ("prometheus-blackbox-exporter",), _one(9115, "Prometheus Blackbox Exporter"), _blackbox
    ),
    Recipe("apt-cacher-ng", ("apt-cacher-ng",), _one(3142, "Apt-Cacher NG"), _apt_cacher),
    Recipe("radicale", ("radicale",), _one(5232, "Radicale"), _radicale),
    Recipe("docker-registry", ("docker-registry",), _one(8503), _registry),
    Recipe("influxdb", ("influxdb",), _one(8086, "InfluxDB", "influxdb"), _influxdb),
    Recipe("syncthing", ("syncthing",), _one(8384, "Syncthing"), _syncthing, seconds=60.0),
    Recipe("rclone", ("rclone",), (*_one(8504, "rclone serve"), *_one(8505)), _rclone),
    Recipe("aria2", ("aria2",), _one(6800), _aria2),
    Recipe("qbittorrent", ("qbittorrent-nox",), _one(8506, "qBittorrent Web UI"), _qbittorrent),
    Recipe("deluge", ("deluge-web",), _one(8112, "Deluge WebUI", "deluge-web"), _deluge, seconds=40.0),
    Recipe("netdata", ("netdata-core",), _one(19999, "Netdata", "netdata-core"), _netdata, seconds=40.0),
    Recipe("jupyter", ("jupyter-notebook",), _one(8888, "Jupyter"), _jupyter, seconds=60.0),
    Recipe("cockpit", ("cockpit-ws",), _one(8507, "Cockpit web service"), _cockpit),
    Recipe("motion", ("motion",), _one(8508, "Motion web control"), _motion),
    Recipe("pdns-recursor", ("pdns-recursor",), _one(8509, "PowerDNS Recursor web server"), _powerdns),
    Recipe("webhook", ("webhook",), _one(8510), _webhook),
    Recipe("monit", ("monit",), _one(2812, "Monit httpd"), _monit, shifted=False),
    Recipe("websockify", ("websockify",), _one(8511, "websockify"), _websockify),
    Recipe("shellinabox", ("shellinabox",), _one(4200, "Shell In A Box"), _shellinabox),
    Recipe("mercurial", ("mercurial",), _one(8512, "Mercurial hg serve"), _mercurial),
    Recipe("dnsdist", ("dnsdist",), _one(8513, "PowerDNS web server"), _dnsdist),
    Recipe("fossil", ("fossil",), _one(8514, "Fossil"), _fossil),
    Recipe("mopidy", ("mopidy",), _one(6680, "Mopidy"), _mopidy, seconds=40.0),
)
