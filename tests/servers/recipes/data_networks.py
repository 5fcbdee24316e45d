"""Windows networks, directories, tunnels, telephony, games and single datagrams. Own numbers: 30100 to 30399."""

from __future__ import annotations

from collections.abc import Callable

from tests.servers.recipe import Listener, Place, Recipe

SCHEMA = "/etc/ldap/schema"


def _slapd(place: Place) -> None:
    data = place.make_folder("data")
    text = (
        f"include {SCHEMA}/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {place.folder}/pid\n"
        f"TLSCertificateFile {place.certificate}\nTLSCertificateKeyFile {place.key}\n"
        f'database mdb\nsuffix "dc=example"\nrootdn "cn=admin,dc=example"\nrootpw secret\ndirectory {data}\n'
    )
    urls = "ldap://0.0.0.0:389/ ldaps://0.0.0.0:636/"
    place.run("slapd", "-d", "0", "-h", urls, "-f", str(place.write("slapd.conf", text)))


def _kerberos(place: Place) -> None:
    folder = place.folder
    realm = "[realms]\n EXAMPLE = {\n  database_name = %s/principal\n  key_stash_file = %s/stash\n  acl_file = %s/acl\n"
    kdc = "[kdcdefaults]\n kdc_ports = 88\n kdc_tcp_ports = 88\n" + realm % (folder, folder, folder) + " }\n"
    client = "[libdefaults]\n default_realm = EXAMPLE\n dns_lookup_kdc = false\n[realms]\n EXAMPLE = {\n }\n"
    env = {"KRB5_CONFIG": str(place.write("krb5.conf", client)), "KRB5_KDC_PROFILE": str(place.write("kdc.conf", kdc))}
    place.once("kdb5_util", "create", "-s", "-r", "EXAMPLE", "-P", "secret", env=env)
    place.run("krb5kdc", "-n", "-r", "EXAMPLE", env=env)


def _samba(place: Place) -> None:
    """As it comes, and once more with the protocol of old (SMB1)."""
    for name, port, least in (("new", 445, "SMB2_02"), ("old", 30101, "NT1")):
        folder = place.make_folder(name)
        directories = "".join(
            f" {kind} directory = {folder}\n" for kind in ("lock", "state", "cache", "pid", "private")
        )
        text = (
            f"[global]\n workgroup = EXAMPLE\n netbios name = FILES\n server min protocol = {least}\n{directories}"
            f" ncalrpc dir = {folder}/rpc\n smb ports = {port}{' 139' if port == 445 else ''}\n"
            " map to guest = bad user\n disable spoolss = yes\n server role = standalone\n"
        )
        configuration = str(place.write(f"{name}.conf", text))
        place.run("smbd", "-F", "--no-process-group", "-s", configuration, "--debug-stdout")
        if port == 445:
            place.run("nmbd", "-F", "--no-process-group", "-s", configuration, "--debug-stdout")


def _xrdp(place: Place) -> None:
    text = (
        "[Globals]\nini_version=1\nfork=true\nport=3389\nsecurity_layer=negotiate\ncrypt_level=high\n"
        f"certificate={place.certificate}\nkey_file={place.key}\nssl_protocols=TLSv1.2, TLSv1.3\n"
        f"[Logging]\nLogFile={place.folder}/xrdp.log\nEnableSyslog=false\n[Xorg]\nname=Xorg\nlib=libxup.so\nport=-1\n"
    )
    place.run("xrdp", "--nodaemon", "--config", str(place.write("xrdp.ini", text)))


def _openvpn(place: Place) -> None:
    """Over UDP and over TCP, for many clients."""
    common = ("--mode", "server", "--tls-server", "--dev", "tun", "--dh", "none", "--ca", str(place.certificate),
              "--cert", str(place.certificate), "--key", str(place.key))  # fmt: skip
    place.run("openvpn", *common, "--proto", "udp", "--port", "1194")
    place.run("openvpn", *common, "--proto", "tcp-server", "--port", "30201")


def _pptp(place: Place) -> None:
    text = "localip 192.0.2.1\nremoteip 192.0.2.10-20\n"
    options = ("-o", str(place.write("options", "")), "-p", f"{place.folder}/pid")
    place.run("pptpd", "-f", "-c", str(place.write("pptpd.conf", text)), *options)


def _l2tp(place: Place) -> None:
    options = place.write("options", "")
    network = f"ip range = 192.0.2.10-192.0.2.20\nlocal ip = 192.0.2.1\npppoptfile = {options}\n"
    text = f"[global]\nport = 1701\n[lns default]\n{network}"
    control = ("-p", f"{place.folder}/pid", "-C", f"{place.folder}/control")
    place.run("xl2tpd", "-D", "-c", str(place.write("xl2tpd.conf", text)), *control)


def _kamailio(place: Place) -> None:
    text = (
        '#!KAMAILIO\nloadmodule "sl.so"\nloadmodule "tm.so"\nlisten=udp:0.0.0.0:5060\nlisten=tcp:0.0.0.0:5060\n'
        'children=1\ntcp_children=1\nrequest_route {\n sl_send_reply("200", "OK");\n exit;\n}\n'
    )
    options = ("-w", str(place.folder), "-Y", str(place.make_folder("run")), "-m", "32", "-M", "4")
    place.run("kamailio", "-DD", "-E", "-f", str(place.write("kamailio.cfg", text)), *options)


def _coturn(place: Place) -> None:
    options = ("--no-cli", "--log-file=stdout", f"--pidfile={place.folder}/pid", f"--userdb={place.folder}/db")
    keys = (f"--cert={place.certificate}", f"--pkey={place.key}", "--realm=example", "--lt-cred-mech")
    place.run("turnserver", "-n", "--listening-ip=0.0.0.0", "--listening-port=3478", "--tls-listening-port=5349",
              *options, *keys)  # fmt: skip


def _mumble(place: Place) -> None:
    text = (
        f"database={place.folder}/db.sqlite\nport=64738\nhost=0.0.0.0\nusers=10\nice=\ndbus=\n"
        f"sslCert={place.certificate}\nsslKey={place.key}\nbonjour=false\nlogfile=\nuname=\nautobanAttempts=0\n"
    )
    place.run("murmurd", "-fg", "-ini", str(place.write("mumble.ini", text)))


def _pulseaudio(place: Place) -> None:
    modules = ("module-null-sink", "module-native-protocol-tcp auth-anonymous=1 port=4713")
    loads = [f"--load={module} {'' if 'null' in module else 'listen=0.0.0.0'}".strip() for module in modules]
    env = {
        "PULSE_RUNTIME_PATH": str(place.make_folder("run", 0o700)),
        "PULSE_STATE_PATH": str(place.make_folder("state")),
    }
    place.run("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no",
              *loads, env=env)  # fmt: skip


def _snmp(place: Place) -> None:
    text = "agentaddress udp:161\nrocommunity public\nsysLocation here\nsysContact nobody@example\n"
    env = {"SNMP_PERSISTENT_DIR": str(place.make_folder("state")), "MIBS": ""}
    configuration = str(place.write("snmpd.conf", text))
    place.run("snmpd", "-f", "-Lo", "-C", "-c", configuration, "-p", f"{place.folder}/pid", env=env)


def _chrony(place: Place) -> None:
    text = f"local stratum 8\nallow all\nport 123\ncmdport 0\nbindcmdaddress /\npidfile {place.folder}/pid\n"
    place.run("chronyd", "-d", "-x", "-u", "root", "-f", str(place.write("chrony.conf", text)))


def _tftp(place: Place) -> None:
    place.run("in.tftpd", "-L", "-a", "0.0.0.0:69", "-u", "nobody", "-s", str(place.make_folder("files")))


def _radius(place: Place) -> None:
    text = (
        f"prefix = /usr\nlogdir = {place.folder}\nrun_dir = {place.folder}\ndb_dir = {place.folder}\n"
        "libdir = /usr/lib/freeradius\nmax_requests = 256\nlog {\n destination = stdout\n}\n"
        "security {\n status_server = yes\n allow_vulnerable_openssl = yes\n}\n"
        "client everybody {\n ipaddr = 0.0.0.0/0\n secret = secret\n require_message_authenticator = no\n}\n"
        "modules {\n always reject {\n  rcode = reject\n }\n}\n"
        "server default {\n listen {\n  type = auth\n  ipaddr = *\n  port = 1812\n }\n"
        " authorize {\n  reject\n }\n}\n"
    )
    place.write("radius/radiusd.conf", text)
    place.write("radius/dictionary", "$INCLUDE /usr/share/freeradius/dictionary\n")
    place.run("freeradius", "-f", "-l", "stdout", "-d", f"{place.folder}/radius", "-D", "/usr/share/freeradius")


def _coap(place: Place) -> None:
    place.run("coap-server-notls", "-p", "5683", "-A", "0.0.0.0")


def _tracker(place: Place) -> None:
    place.run("opentracker", "-i", "0.0.0.0", "-P", "6969", "-d", str(place.folder), "-u", "nobody")


def _dtls(place: Place) -> None:
    place.run("sh", "-c", f"sleep 600 | openssl s_server -dtls -listen -accept 4433 -cert {place.certificate} "
              f"-key {place.key} -quiet")  # fmt: skip


def _one(name: str, package: str, start: Callable[[Place], None], *listeners: Listener, light: bool = False) -> Recipe:
    return Recipe(name, (package,), listeners, start, light=light, seconds=30.0)


NETWORKS = (
    _one(
        "slapd",
        "slapd",
        _slapd,
        Listener(389, service="ldap", product="OpenLDAP"),
        Listener(636, tls=True, service="ldap", product="OpenLDAP"),
        light=True,
    ),
    _one(
        "krb5-kdc",
        "krb5-kdc",
        _kerberos,
        Listener(88, service="kerberos-sec", product="MIT Kerberos"),
        Listener(88, "udp", service="kerberos-sec", product="MIT Kerberos"),
    ),
    _one(
        "samba",
        "samba",
        _samba,
        Listener(445, service="netbios-ssn", product="Samba smbd"),
        Listener(139, service="netbios-ssn", product="Samba smbd"),
        Listener(30101, service="netbios-ssn", product="Samba smbd"),
        Listener(137, "udp", service="netbios-ns", product="Samba nmbd"),
    ),
    _one("xrdp", "xrdp", _xrdp, Listener(3389, service="ms-wbt-server")),
    _one(
        "openvpn",
        "openvpn",
        _openvpn,
        Listener(1194, "udp", service="openvpn", product="OpenVPN"),
        Listener(30201, service="openvpn", product="OpenVPN"),
        light=True,
    ),
    _one("pptpd", "pptpd", _pptp, Listener(1723, service="pptp", product="PoPToP")),
    _one("xl2tpd", "xl2tpd", _l2tp, Listener(1701, "udp", service="l2tp", product="xl2tpd")),
    _one(
        "kamailio",
        "kamailio",
        _kamailio,
        Listener(5060, service="sip", product="Kamailio", version="@kamailio"),
        Listener(5060, "udp", service="sip", product="Kamailio", version="@kamailio"),
    ),
    _one(
        "coturn",
        "coturn",
        _coturn,
        Listener(3478, service="stun", product="Coturn", version="@coturn"),
        Listener(3478, "udp", service="stun", product="Coturn", version="@coturn"),
        Listener(5349, tls=True, service="stun", product="Coturn", version="@coturn"),
    ),
    _one(
        "mumble",
        "mumble-server",
        _mumble,
        Listener(64738, tls=True, service="murmur", product="Mumble server", version="@mumble-server"),
        Listener(64738, "udp", service="murmur", product="Mumble server", version="@mumble-server"),
    ),
    _one(
        "pulseaudio",
        "pulseaudio",
        _pulseaudio,
        Listener(4713, service="pulseaudio", product="PulseAudio"),
    ),
    _one("snmpd", "snmpd", _snmp, Listener(161, "udp", service="snmp", product="SNMPv1 server"), light=True),
    _one("chrony", "chrony", _chrony, Listener(123, "udp", service="ntp"), light=True),
    _one("tftpd", "tftpd-hpa", _tftp, Listener(69, "udp", service="tftp"), light=True),
    _one("freeradius", "freeradius", _radius, Listener(1812, "udp", service="radius")),
    _one(
        "coap", "libcoap3-bin", _coap, Listener(5683, "udp", service="coap", product="libcoap coap-server"), light=True
    ),
    _one("opentracker", "opentracker", _tracker, Listener(6969, "udp", service="bittorrent-tracker"), light=True),
    _one("dtls", "openssl", _dtls, Listener(4433, "udp", service="dtls"), light=True),
)
