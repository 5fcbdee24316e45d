"""Databases and caches: PostgreSQL, MariaDB, Redis, Memcached, Firebird, ZooKeeper. Own numbers: 30000 to 30049."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe

POSTGRESQL = "/usr/lib/postgresql/15/bin"
JAVA_FOLDER = "/usr/share/java"
DERBY = "org.apache.derby.drda.NetworkServerControl"
ZOOKEEPER = "org.apache.zookeeper.server.ZooKeeperServerMain"


def _postgresql(place: Place) -> None:
    """Twice: plain, and with TLS after its own request for it."""
    key = place.write("key.pem", place.key.read_bytes(), 0o600, user="postgres")
    secure = ("-c", "ssl=on", "-c", f"ssl_cert_file={place.certificate}", "-c", f"ssl_key_file={key}")
    for port, options in ((5432, ()), (30000, secure)):
        data = str(place.make_folder(f"data{port}", 0o700, user="postgres"))
        place.once(f"{POSTGRESQL}/initdb", "-D", data, "-A", "scram-sha-256", "--no-sync", "-U", "owner",
                   "--pwfile", str(place.write("password", "secret\n")), user="postgres")  # fmt: skip
        settings = ("-c", "listen_addresses=0.0.0.0", "-c", f"unix_socket_directories={data}", "-c", "fsync=off")
        place.run(f"{POSTGRESQL}/postgres", "-D", data, "-p", str(port), *settings, *options, user="postgres")


def _mariadb(place: Place) -> None:
    data = place.make_folder("data", 0o700, user="mysql")
    place.once("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", "--user=mysql",
               "--auth-root-authentication-method=normal")  # fmt: skip
    secure = (f"--ssl-cert={place.certificate}", f"--ssl-key={place.key}")
    users = place.write("users.sql", "CREATE USER 'scan'@'%' IDENTIFIED BY 'secret';\n")
    place.run("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={data}/socket", "--port=3306",
              "--bind-address=0.0.0.0", f"--pid-file={data}/pid", "--skip-name-resolve", *secure,
              f"--init-file={users}", user="mysql")  # fmt: skip


def _redis(place: Place) -> None:
    """Open, through TLS, with a password, in protected mode, and a sentinel."""
    folder = place.make_folder("run", user="redis")
    common = ("--dir", str(folder), "--save", "", "--bind", "0.0.0.0")
    secure = ("--tls-port", "30020", "--tls-cert-file", str(place.certificate), "--tls-key-file", str(place.key),
              "--tls-ca-cert-file", str(place.certificate), "--tls-auth-clients", "no")  # fmt: skip
    place.run("redis-server", "--port", "6379", *common, "--protected-mode", "no", *secure, user="redis")
    place.run("redis-server", "--port", "30021", *common, "--requirepass", "secret", user="redis")
    place.run("redis-server", "--port", "30023", *common, "--protected-mode", "yes", user="redis")
    text = f"port 26379\nbind 0.0.0.0\nprotected-mode no\ndir {folder}\nsentinel monitor first 127.0.0.1 6379 1\n"
    place.run("redis-server", str(place.write("sentinel.conf", text, user="redis")), "--sentinel", user="redis")


def _memcached(place: Place) -> None:
    place.run("memcached", "-u", "memcache", "-p", "11211", "-U", "11211", "-l", "0.0.0.0", "-m", "16")


def _firebird(place: Place) -> None:
    folder = place.make_folder("root", user="firebird")
    for name in ("firebird.conf", "databases.conf", "plugins.conf", "fbtrace.conf"):
        place.write(f"root/{name}", "RemoteServicePort = 3050\n" if name == "firebird.conf" else "", user="firebird")
    env = {"FIREBIRD_TMP": str(folder), "FIREBIRD_LOCK": str(folder)}
    place.run("firebird", "-p", "3050", user="firebird", env=env)


def _zookeeper(place: Place) -> None:
    data = place.make_folder("data", user="zookeeper")
    jars = f"/etc/zookeeper/conf:{JAVA_FOLDER}/*"
    place.run("java", "-Xmx128m", "-cp", jars, "-Dzookeeper.admin.enableServer=false", ZOOKEEPER, "2181", str(data),
              user="zookeeper")  # fmt: skip


def _etcd(place: Place) -> None:
    urls = ("--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://127.0.0.1:2379")
    peers = ("--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380")
    place.run("etcd", f"--data-dir={place.folder}/data", *urls, *peers, "--initial-cluster=default=http://127.0.0.1:2380",
              env={"ETCD_UNSUPPORTED_ARCH": "arm64"})  # fmt: skip


def _pgbouncer(place: Place) -> None:
    text = "[databases]\n[pgbouncer]\nlisten_addr = 0.0.0.0\nlisten_port = 6432\nauth_type = any\nunix_socket_dir =\n"
    place.run("pgbouncer", str(place.write("pgbouncer.ini", text)), user="postgres")


def _derby(place: Place) -> None:
    jars = ":".join(f"{JAVA_FOLDER}/{name}.jar" for name in ("derby", "derbynet", "derbytools"))
    place.run("java", "-Xmx96m", "-cp", jars, f"-Dderby.system.home={place.folder}", DERBY, "start",
              "-h", "0.0.0.0", "-p", "1527", "-noSecurityManager")  # fmt: skip


DATABASES = (
    Recipe(
        "postgresql",
        ("postgresql-15",),
        (
            Listener(5432, service="postgresql", product="PostgreSQL DB"),
            Listener(30000, service="postgresql", product="PostgreSQL DB"),
        ),
        _postgresql,
        seconds=40.0,
    ),
    Recipe(
        "mariadb",
        ("mariadb-server",),
        (Listener(3306, service="mysql", product="MariaDB", version="@mariadb-server"),),
        _mariadb,
        seconds=60.0,
    ),
    Recipe(
        "redis",
        ("redis-server",),
        (
            Listener(6379, service="redis", product="Redis key-value store", version="@redis-server"),
            Listener(30020, tls=True, service="redis", product="Redis key-value store", version="@redis-server"),
            Listener(30021, service="redis", product="Redis key-value store"),
            Listener(30023, service="redis", product="Redis key-value store"),
            Listener(26379, service="redis", product="Redis Sentinel", version="@redis-server"),
        ),
        _redis,
        light=True,
    ),
    Recipe(
        "memcached",
        ("memcached",),
        (
            Listener(11211, service="memcached", product="Memcached", version="@memcached"),
            Listener(11211, "udp", service="memcached", product="Memcached", version="@memcached"),
        ),
        _memcached,
        light=True,
    ),
    Recipe(
        "firebird", ("firebird3.0-server",), (Listener(3050, service="firebird", product="Firebird RDBMS"),), _firebird
    ),
    Recipe(
        "zookeeper",
        ("zookeeper",),
        (Listener(2181, service="zookeeper", product="Apache ZooKeeper", version="@zookeeper"),),
        _zookeeper,
        seconds=40.0,
    ),
    Recipe(
        "etcd",
        ("etcd-server",),
        (Listener(2379, service="http", product="Golang net/http server"),),
        _etcd,
        seconds=40.0,
    ),
    Recipe(
        "pgbouncer",
        ("pgbouncer", "postgresql-15"),
        (Listener(6432, service="postgresql", product="PgBouncer"),),
        _pgbouncer,
    ),
    Recipe(
        "derby",
        ("libderby-java", "default-jre-headless"),
        (Listener(1527, service="drda", product="Apache Derby", version="10.14"),),
        _derby,
        seconds=40.0,
    ),
)
