"""Names: DNS servers over TCP, finger, ident, DICT, gopher, and routing daemons that greet over BGP."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.private_files import without_name_server
from tests.servers.recipes.text_shells import xinetd

ZONE = (
    "$TTL 3600\n@ IN SOA ns.example. host.example. 1 3600 900 86400 3600\n@ IN NS ns.example.\n"
    "ns IN A 192.0.2.53\nhost IN A 192.0.2.1\n"
)


def _bind(place: Place) -> None:
    folder = place.make_folder("run", user="bind")
    text = (
        f'options {{ directory "{folder}"; pid-file none; session-keyfile none; listen-on port 53 {{ any; }};'
        " listen-on-v6 port 53 { any; }; recursion no; dnssec-validation no; };\ncontrols { };\n"
    )
    place.run("named", "-f", "-g", "-u", "bind", "-n", "1", "-c", str(place.write("named.conf", text)))


def _unbound(place: Place) -> None:
    text = (
        'server:\n interface: 0.0.0.0@2153\n chroot: ""\n username: ""\n pidfile: ""\n do-daemonize: no\n'
        " use-syslog: no\n access-control: 0.0.0.0/0 allow\n num-threads: 1\n module-config: iterator\n"
        "remote-control:\n control-enable: no\n"
    )
    place.run("unbound", "-d", "-p", "-c", str(place.write("unbound.conf", text)))


def _nsd(place: Place) -> None:
    folder = place.folder
    place.write("zone", ZONE)
    text = (
        f'server:\n ip-address: 0.0.0.0@2154\n chroot: ""\n username: root\n pidfile: "{folder}/pid"\n'
        f' database: ""\n zonesdir: "{folder}"\n zonelistfile: "{folder}/list"\n xfrdfile: "{folder}/xfrd"\n'
        f' xfrdir: "{folder}"\nremote-control:\n control-enable: no\nzone:\n name: "example"\n zonefile: "zone"\n'
    )
    place.run("nsd", "-d", "-c", str(place.write("nsd.conf", text)))


def _knot(place: Place) -> None:
    folder = place.folder
    place.write("zone", ZONE)
    text = (
        f"server:\n  listen: 0.0.0.0@2155\n  rundir: {folder}\n  user: root:root\n"
        f"database:\n  storage: {folder}\nzone:\n  - domain: example\n    storage: {folder}\n    file: zone\n"
    )
    place.run("knotd", "-c", str(place.write("knot.conf", text)))


def _powerdns(place: Place) -> None:
    place.write("zone", ZONE)
    place.write("named.conf", f'zone "example" {{ type master; file "{place.folder}/zone"; }};\n')
    place.write(
        "pdns.conf",
        f"launch=bind\nbind-config={place.folder}/named.conf\nlocal-address=0.0.0.0\nlocal-port=2156\n"
        f"socket-dir={place.folder}\nsecurity-poll-suffix=\nguardian=no\ndaemon=no\nversion-string=full\n",
    )
    place.run("pdns_server", f"--config-dir={place.folder}")


def _recursor(place: Place) -> None:
    options = ("--daemon=no", "--disable-syslog=yes", "--security-poll-suffix=", "--dnssec=off", "--threads=1")
    where = ("--local-address=0.0.0.0", "--local-port=2158", "--allow-from=0.0.0.0/0", f"--socket-dir={place.folder}")
    place.run("pdns_recursor", f"--config-dir={place.folder}", *where, *options)


def _dnsmasq(place: Place) -> None:
    options = ("--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root", "--pid-file=")
    place.run("dnsmasq", "--keep-in-foreground", "--port=2157", *options)


def _finger(place: Place) -> None:
    xinetd(place, ("79", "nobody", "/usr/sbin/in.fingerd"))


def _ident(place: Place) -> None:
    place.run("oidentd", "--nosyslog", "--foreground", "--user=nobody", "--group=nogroup", "--port=113")


def _dict(place: Place) -> None:
    database = "".join(f"{word}\t{start}\t{length}\n" for word, start, length in (("example", "A", "M"),))
    place.write("words.index", database)
    place.write("words.dict", "example: one")
    text = (
        f"access {{\n allow *\n}}\n"
        f"database words {{ data {place.folder}/words.dict index {place.folder}/words.index }}\n"
    )
    place.run(*without_name_server(place), "dictd", "--debug", "nodetach", "-c", str(place.write("dictd.conf", text)))


def _gopher(place: Place) -> None:
    place.make_folder("gopher")
    place.write("gopher/about.txt", "It is served.\n")
    place.write("gopher/gophermap", "Welcome\n0About\tabout.txt\n")
    program = ("/usr/sbin/gophernicus", "-h", place.host_name, "-r", str(place.folder / "gopher"), "-nv")
    xinetd(place, ("70", "nobody", *program))


def _bird(place: Place) -> None:
    text = (
        "router id 192.0.2.1;\nprotocol device { }\nprotocol bgp peers { local as 64512; passive on;"
        " neighbor range 0.0.0.0/0 external; ipv4 { import none; export none; }; }\n"
    )
    control = str(place.folder / "control")
    place.run("bird", "-f", "-c", str(place.write("bird.conf", text)), "-s", control)


def _frr(place: Place) -> None:
    """The BGP daemon without the others: BGP itself, and its vty with a password."""
    text = (
        "hostname router\npassword secret\nrouter bgp 64512\n bgp router-id 192.0.2.1\n no bgp ebgp-requires-policy\n"
    )
    place.make_folder("run", user="frr")
    path = place.write("bgpd.conf", text, user="frr")
    options = ("-n", "-Z", "-S", "-l", "0.0.0.0", "-p", "2179", "-A", "0.0.0.0", "-P", "2605")
    place.run("/usr/lib/frr/bgpd", *options, "-i", f"{place.folder}/run/pid", "--vty_socket", f"{place.folder}/run",
              "-f", str(path), "-u", "root", "-g", "root")  # fmt: skip


def _server(name: str, package: str, port: int, product: str) -> tuple[str, tuple[str, ...], tuple[Listener, ...]]:
    return name, (package,), (Listener(port, service="domain", product=product, version=f"@{package}"),)


NAMES = (
    Recipe(*_server("bind", "bind9", 53, "ISC BIND"), _bind),
    Recipe(*_server("unbound", "unbound", 2153, "Unbound"), _unbound, light=True),
    Recipe(*_server("nsd", "nsd", 2154, "NLnet Labs NSD"), _nsd),
    Recipe(*_server("knot", "knot", 2155, "Knot DNS"), _knot),
    Recipe(*_server("powerdns", "pdns-server", 2156, "PowerDNS Authoritative Server"), _powerdns),
    Recipe(*_server("recursor", "pdns-recursor", 2158, "PowerDNS Recursor"), _recursor),
    Recipe(*_server("dnsmasq", "dnsmasq-base", 2157, "dnsmasq"), _dnsmasq, light=True),
    Recipe("finger", ("fingerd", "finger", "xinetd"), (Listener(79, service="finger"),), _finger, light=True),
    Recipe("ident", ("oidentd",), (Listener(113, service="ident"),), _ident, light=True),
    Recipe("dict", ("dictd",), (Listener(2628, service="dict", product="dictd", version="@dictd"),), _dict),
    Recipe(
        "gopher",
        ("gophernicus", "xinetd"),
        (Listener(70, service="gopher", product="Gophernicus", version="@gophernicus"),),
        _gopher,
        light=True,
    ),
    Recipe("bird", ("bird2",), (Listener(179, service="bgp"),), _bird, light=True),
    Recipe(
        "frr",
        ("frr",),
        (Listener(2179), Listener(2605, service="telnet", product="FRRouting", version="@frr")),
        _frr,
    ),
)
