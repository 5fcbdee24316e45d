"""More of tunnels, files and devices: IKE, NFS, IPMI, Minetest."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe

OWN_RUN = "mount -t tmpfs none /run && "


def _ike(place: Place) -> None:
    """strongSwan's daemon and its starter, which want their files below /run; both versions of IKE."""
    text = (
        "config setup\nconn old\n keyexchange=ikev1\n authby=secret\n ike=aes256-sha1-modp2048!\n"
        " left=%any\n right=%any\n auto=add\n"
        "conn new\n keyexchange=ikev2\n authby=secret\n ike=aes256-sha256-modp2048!\n"
        " left=%any\n right=%any\n auto=add\n"
    )
    options = f"--nofork --conf {place.write('ipsec.conf', text)}"
    plugins = "plugins {\n include /etc/strongswan.d/charon/*.conf\n }"
    settings = f"charon {{\n send_vendor_id = yes\n load_modular = yes\n {plugins}\n}}\n"
    env = {"STRONGSWAN_CONF": str(place.write("strongswan.conf", settings))}
    place.run("unshare", "--mount", "sh", "-c", f"{OWN_RUN}exec /usr/lib/ipsec/starter {options}", env=env)


def _nfs(place: Place) -> None:
    """Ganesha, and the port mapper that it registers with."""
    place.make_folder("files")
    text = (
        "NFS_CORE_PARAM { NFS_Protocols = 3, 4; NFS_Port = 2049; MNT_Port = 20048; Enable_NLM = false;"
        " Enable_RQUOTA = false; Enable_UDP = false; Dbus_Name_Prefix = none; }\n"
        f'NFSv4 {{ Graceless = true; RecoveryRoot = "{place.folder}"; }}\n'
        f'EXPORT {{ Export_Id = 1; Path = "{place.folder}/files"; Pseudo = "/files"; Access_Type = RO;'
        " FSAL { Name = VFS; } }\n"
    )
    options = f"-F -L {place.folder}/ganesha.log -f {place.write('ganesha.conf', text)} -p {place.folder}/pid"
    place.run(
        "unshare", "--mount", "sh", "-c", f"{OWN_RUN}mkdir /run/rpcbind && rpcbind && exec ganesha.nfsd {options}"
    )


def _ipmi(place: Place) -> None:
    text = (
        'name "board"\nset_working_mc 0x20\n startlan 1\n  addr 0.0.0.0 623\n  priv_limit admin\n'
        "  allowed_auths_admin none md2 md5 straight\n  guid a123456789abcdefa123456789abcdef\n endlan\n"
        ' user 1 true "" "test" user 10 none md2 md5 straight\n'
    )
    commands = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\nmc_enable 0x20\n"
    options = ("-c", str(place.write("lan.conf", text)), "-f", str(place.write("board.emu", commands)))
    place.run("ipmi_sim", "-n", *options, "-s", str(place.make_folder("state")))


def _minetest(place: Place) -> None:
    text = "bind_address = 0.0.0.0\nserver_announce = false\n"
    place.run("/usr/lib/minetest/minetestserver", "--port", "30000", "--world", str(place.make_folder("world")),
              "--config", str(place.write("minetest.conf", text)))  # fmt: skip


DEVICES = (
    Recipe(
        "strongswan",
        ("strongswan-charon", "strongswan-starter"),
        (
            Listener(500, "udp", service="isakmp", product="strongSwan"),
            Listener(4500, "udp", service="isakmp", product="strongSwan"),
        ),
        _ike,
    ),
    Recipe(
        "nfs",
        ("nfs-ganesha", "nfs-ganesha-vfs", "rpcbind"),
        (
            Listener(111, service="rpcbind"),
            Listener(111, "udp", service="rpcbind"),
            Listener(2049, service="nfs"),
            Listener(20048, service="mountd"),
        ),
        _nfs,
    ),
    Recipe("ipmi", ("openipmi",), (Listener(623, "udp", service="asf-rmcp"),), _ipmi),
    Recipe(
        "minetest",
        ("minetest-server",),
        (Listener(30000, "udp", service="minetest", product="Minetest server"),),
        _minetest,
    ),
)
