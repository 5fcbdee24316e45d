"""Web servers, frameworks and proxies. Numbers: 80, 443, 3128, 8001 to 8499; the applications are in a module beside.

Everybody serves an empty folder or a page of one line, so that what is told comes from the server itself.
"""

from __future__ import annotations

from pathlib import Path

from tests.servers.recipe import Listener, Place, Recipe
from tests.servers.recipes.web_applications import APPLICATIONS

PYTHON = "/usr/bin/python3"
PAGE = "<html><head><title>Example</title></head><body>It is served.</body></html>\n"
WSGI = (
    "def application(environ, start_response):\n"
    "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
    "    return [b'served\\n']\n"
)
ASGI = (
    "async def application(scope, receive, send):\n"
    "    if scope['type'] != 'http':\n"
    "        return\n"
    "    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-type', b'text/plain')]})\n"
    "    await send({'type': 'http.response.body', 'body': b'served\\n'})\n"
)
RACK = "run lambda { |environment| [200, {'Content-Type' => 'text/plain'}, ['served']] }\n"


def _site(place: Place) -> Path:
    place.make_folder("www")
    return place.write("www/index.html", PAGE).parent


def _nginx(place: Place) -> None:
    site, folder = _site(place), place.folder
    tls = f"ssl_certificate {place.certificate}; ssl_certificate_key {place.key};"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (
        f"user root;\ndaemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}"
        f"server {{ listen 80; listen [::]:80; root {site}; }}\n"
        f"server {{ listen 443 ssl; {tls} root {site}; }}\n"
        f"server {{ listen 8001; server_tokens off; root {site}; }}\n}}\n"
    )
    place.run("/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", str(place.write("nginx.conf", text)))


def _apache(place: Place) -> None:
    site, folder, modules = _site(place), place.folder, "/usr/lib/apache2/modules"
    names = ("mpm_event", "authz_core", "dir", "mime", "ssl", "socache_shmcb", "alias")
    load = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in names)
    text = (
        f"{load}ServerRoot {folder}\nServerName {place.host_name}\nPidFile {folder}/pid\nErrorLog /dev/stderr\n"
        f"Mutex file:{folder} default\nUser www-data\nGroup www-data\nTypesConfig /etc/mime.types\n"
        "Listen 8002\nListen 8003\nListen 8443\nServerTokens OS\nServerSignature On\n"
        f"DocumentRoot {site}\n<Directory {site}>\nRequire all granted\n</Directory>\n"
        f"<VirtualHost *:8443>\nSSLEngine on\nSSLCertificateFile {place.certificate}\n"
        f"SSLCertificateKeyFile {place.key}\n</VirtualHost>\n"
        "<VirtualHost *:8003>\nRedirect 403 /\n</VirtualHost>\n"
    )
    place.run("/usr/sbin/apache2", "-DFOREGROUND", "-f", str(place.write("apache2.conf", text)))


def _lighttpd(place: Place) -> None:
    pem = place.write("both.pem", place.certificate.read_bytes() + place.key.read_bytes())
    text = (
        'server.modules = ("mod_openssl")\nserver.port = 8005\n'
        f'server.document-root = "{_site(place)}"\nindex-file.names = ("index.html")\n'
        f'$SERVER["socket"] == "0.0.0.0:8006" {{ ssl.engine = "enable"\nssl.pemfile = "{pem}" }}\n'
    )
    place.run("/usr/sbin/lighttpd", "-D", "-f", str(place.write("lighttpd.conf", text)))


def _caddy(place: Place) -> None:
    place.run("caddy", "file-server", "--listen", ":8007", "--root", str(_site(place)))


def _haproxy(place: Place) -> None:
    pem = place.write("both.pem", place.certificate.read_bytes() + place.key.read_bytes())
    text = (
        "defaults\nmode http\ntimeout connect 5s\ntimeout client 5s\ntimeout server 5s\n"
        "frontend plain\nbind :8008\ndefault_backend nobody\n"
        f"frontend tls\nbind :8009 ssl crt {pem}\ndefault_backend nobody\n"
        "frontend report\nbind :8010\nstats enable\nstats uri /\n"
        "frontend guarded\nbind :8098\nhttp-request auth realm guarded\n"
        "backend nobody\nserver nobody 127.0.0.1:1\n"
    )
    place.run("/usr/sbin/haproxy", "-db", "-f", str(place.write("haproxy.cfg", text)))


def _varnish(place: Place) -> None:
    work = place.make_folder("work", 0o777)
    place.run(
        "/usr/sbin/varnishd", "-F", "-j", "none", "-a", ":8011", "-b", "127.0.0.1:1", "-n", str(work), "-T", "none"
    )


def _squid(place: Place) -> None:
    folder = place.folder
    text = (
        f"http_port 3128\nvisible_hostname {place.host_name}\npid_filename {folder}/pid\ncache_log stdio:/dev/stderr\n"
        f"access_log none\ncoredump_dir {folder}\nhttp_access deny all\nshutdown_lifetime 1 second\n"
        f"pinger_enable off\nunlinkd_program /bin/true\ncache_effective_user proxy\ncache_mem 8 MB\n"
    )
    place.run("/usr/sbin/squid", "--foreground", "-f", str(place.write("squid.conf", text)))


def _tinyproxy(place: Place) -> None:
    text = "Port 8012\nTimeout 60\nMaxClients 20\nAllow 0.0.0.0/0\n"
    place.run("/usr/bin/tinyproxy", "-d", "-c", str(place.write("tinyproxy.conf", text)))


def _privoxy(place: Place) -> None:
    text = f"confdir /etc/privoxy\nlogdir {place.folder}\nlisten-address 0.0.0.0:8118\n"
    place.run("/usr/sbin/privoxy", "--no-daemon", str(place.write("privoxy.conf", text)))


def _traffic_server(place: Place) -> None:
    for name in ("ip_allow.yaml", "logging.yaml", "sni.yaml", "remap.config", "plugin.config"):
        place.write(name, Path("/etc/trafficserver", name).read_bytes())
    work = place.make_folder("work", 0o777)
    settings = (
        "http.server_ports STRING 8055",
        "admin.user_id STRING trafficserver",
        f"local_state_dir STRING {work}",
        f"log.logfile_dir STRING {work}",
    )
    place.write("records.config", "".join(f"CONFIG proxy.config.{setting}\n" for setting in settings))
    place.write("storage.config", f"{work} 16M\n")
    place.run("/usr/bin/traffic_server", env={"TS_ROOT": str(work), "PROXY_CONFIG_CONFIG_DIR": str(place.folder)})


def _mitmproxy(place: Place) -> None:
    settings = place.make_folder("settings")
    place.run("mitmdump", "--listen-port", "8052", "--set", f"confdir={settings}", "--quiet")


def _java_site(place: Place, kind: str) -> Path:
    base = place.make_folder(kind)
    for name in ("logs", "temp", "work", "webapps", "webapps/ROOT"):
        place.make_folder(f"{kind}/{name}")
    return base


def _tomcat(place: Place) -> None:
    base = _java_site(place, "tomcat")
    place.write("tomcat/webapps/ROOT/page.html", PAGE)
    place.write("tomcat/conf/web.xml", Path("/etc/tomcat10/web.xml").read_text())
    place.write(
        "tomcat/conf/server.xml",
        '<Server port="-1"><Service name="Catalina"><Connector port="8080" protocol="HTTP/1.1"/>'
        '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>'
        "</Service></Server>\n",
    )
    environment = {"CATALINA_HOME": "/usr/share/tomcat10", "CATALINA_BASE": str(base)}
    place.run("/usr/share/tomcat10/bin/catalina.sh", "run", env=environment)


def _jetty(place: Place) -> None:
    base = place.make_folder("base")
    place.write("base/webapps/ROOT/index.html", PAGE)
    place.write("base/start.ini", "--module=server\n--module=http\n--module=deploy\njetty.http.port=8013\n")
    home = "-Djetty.home=/usr/share/jetty9"
    place.run("java", home, f"-Djetty.base={base}", "-jar", "/usr/share/jetty9/start.jar")


def _gunicorn(place: Place) -> None:
    place.write("served.py", WSGI)
    place.run(PYTHON, "-m", "gunicorn", "-b", ":8014", "--worker-tmp-dir", str(place.folder), "served:application")


def _uwsgi(place: Place) -> None:
    place.write("served.py", WSGI)
    options = ("--plugin", "python3", "--http-socket", ":8015", "--need-app", "--master")
    place.run("uwsgi", *options, "--wsgi-file", "served.py", "--die-on-term")


def _python_http(place: Place) -> None:
    place.run(PYTHON, "-m", "http.server", "8016", "--directory", str(_site(place)))


def _php(place: Place) -> None:
    place.write("pages/index.php", "<?php echo 'served';")
    place.run("php", "-S", "0.0.0.0:8017", "-t", str(place.folder / "pages"))
    place.run("php", "-S", "0.0.0.0:8099", "-t", str(place.make_folder("empty")))


def _node(place: Place) -> None:
    place.write("served.js", "require('http').createServer((ask, answer) => answer.end('served')).listen(8018);\n")
    place.run("node", "served.js")


def _express(place: Place) -> None:
    place.write("served.js", "require('express')().get('/', (ask, answer) => answer.send('served')).listen(8019);\n")
    place.run("node", "served.js", env={"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"})


def _webrick(place: Place) -> None:
    place.write(
        "served.rb",
        "require 'webrick'\nWEBrick::HTTPServer.new(Port: 8020, BindAddress: '0.0.0.0', DocumentRoot: 'www').start\n",
    )
    _site(place)
    place.run("ruby", "served.rb")


def _puma(place: Place) -> None:
    place.write("config.ru", RACK)
    place.run("puma", "-b", "tcp://0.0.0.0:8021", "config.ru")


def _thin(place: Place) -> None:
    place.write("config.ru", RACK)
    place.run("thin", "-a", "0.0.0.0", "-p", "8022", "-R", "config.ru", "start")


def _unicorn(place: Place) -> None:
    place.write("config.ru", RACK)
    place.run("unicorn", "-l", "0.0.0.0:8023", "config.ru")


def _mini_httpd(place: Place) -> None:
    place.run("/usr/sbin/mini_httpd", "-D", "-p", "8024", "-d", str(_site(place)), "-u", "www-data")


def _webfs(place: Place) -> None:
    place.run("/usr/bin/webfsd", "-F", "-p", "8025", "-r", str(_site(place)), "-4")


def _micro_httpd(place: Place) -> None:
    command = f"EXEC:/usr/sbin/micro-httpd {_site(place)}"
    place.run("socat", "TCP4-LISTEN:8026,reuseaddr,fork", command)


def _busybox(place: Place) -> None:
    place.run("busybox", "httpd", "-f", "-p", "8027", "-h", str(_site(place)))
    place.run("busybox", "httpd", "-f", "-p", "8096", "-h", str(place.make_folder("empty")))


def _nghttp2(place: Place) -> None:
    place.run("nghttpd", "--no-tls", "-d", str(_site(place)), "8028")
    place.run(
        "nghttpx",
        "--frontend=0.0.0.0,8029;no-tls",
        "--backend=127.0.0.1,1",
        "--conf=/dev/null",
        "--errorlog-file=/dev/stderr",
        "--accesslog-file=/dev/null",
    )


def _h2o(place: Place) -> None:
    text = f'listen: 8030\nuser: root\nhosts:\n  default:\n    paths:\n      /:\n        file.dir: "{_site(place)}"\n'
    place.run("h2o", "-c", str(place.write("h2o.conf", text)))


def _weborf(place: Place) -> None:
    place.run("weborf", "-p", "8032", "-b", str(_site(place)))


def _civetweb(place: Place) -> None:
    place.run("civetweb", "-listening_ports", "8033", "-document_root", str(_site(place)))


def _yaws(place: Place) -> None:
    folder = place.folder
    text = (
        f"logdir = {folder}\nebin_dir = {folder}\ninclude_dir = {folder}\n"
        f"<server {place.host_name}>\nport = 8034\nlisten = 0.0.0.0\ndocroot = {_site(place)}\n</server>\n"
    )
    place.run("yaws", "--daemon", "--conf", str(place.write("yaws.conf", text)), "--id", "example")


def _twisted(place: Place) -> None:
    place.run("twistd3", "--nodaemon", "--pidfile=", "web", "--listen=tcp:8035", f"--path={_site(place)}")


_PYTHON_SERVERS = {
    "tornado": (8036, "import tornado.ioloop, tornado.web\n"
        "tornado.web.Application([]).listen(8036)\ntornado.ioloop.IOLoop.current().start()\n"),
    "aiohttp": (8037, "from aiohttp import web\nweb.run_app(web.Application(), port=8037)\n"),
    "waitress": (8038, "import waitress, served\nwaitress.serve(served.application, listen='*:8038')\n"),
    "cherrypy": (8039, "import cherrypy\ncherrypy.quickstart(None, '/', {'global': {'server.socket_port': 8039,\n"
        "    'server.socket_host': '0.0.0.0', 'engine.autoreload.on': False}})\n"),
    "flask": (8042, "import flask\nflask.Flask('served').run('0.0.0.0', 8042)\n"),
    "gevent": (8043, "import gevent.pywsgi, served\n"
        "gevent.pywsgi.WSGIServer(('0.0.0.0', 8043), served.application).serve_forever()\n"),
    "wsgiref": (8044, "import wsgiref.simple_server, served\n"
        "wsgiref.simple_server.make_server('0.0.0.0', 8044, served.application).serve_forever()\n"),
    "eventlet": (8045, "import eventlet, eventlet.wsgi, served\n"
        "eventlet.wsgi.server(eventlet.listen(('0.0.0.0', 8045)), served.application)\n"),
    "uvicorn": (8040, "import uvicorn\nuvicorn.run('asynchronous:application', host='0.0.0.0', port=8040)\n"),
    "hypercorn": (8041, "import asyncio, hypercorn.asyncio, hypercorn.config, asynchronous\n"
        "config = hypercorn.config.Config()\nconfig.bind = ['0.0.0.0:8041']\n"
        "asyncio.run(hypercorn.asyncio.serve(asynchronous.application, config))\n"),
}  # fmt: skip


def _python_server(place: Place, name: str) -> None:
    place.write("served.py", WSGI)
    place.write("asynchronous.py", ASGI)
    place.write("main.py", _PYTHON_SERVERS[name][1])
    place.run(PYTHON, "main.py", env={"PYTHONPATH": str(place.folder)})


def _python_recipe(name: str, package: str, product: str, *, told: bool = True) -> Recipe:
    listener = Listener(
        _PYTHON_SERVERS[name][0], service="http", product=product, version=f"@{package}" if told else ""
    )
    return Recipe(name, (package,), (listener,), lambda place: _python_server(place, name))


def _http(number: int, product: str, package: str = "", *, tls: bool = False, service: str = "http") -> Listener:
    return Listener(number, tls=tls, service=service, product=product, version=f"@{package}" if package else "")


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "nginx",
        ("nginx-light",),
        (
            _http(80, "nginx", "nginx-light"),
            _http(443, "nginx", "nginx-light", tls=True),
            _http(8001, "nginx"),
        ),
        _nginx,
        light=True,
    ),
    Recipe(
        "apache2",
        ("apache2",),
        (
            _http(8002, "Apache httpd", "apache2"),
            _http(8003, "Apache httpd", "apache2"),
            _http(8443, "Apache httpd", "apache2", tls=True),
        ),
        _apache,
    ),
    Recipe(
        "lighttpd",
        ("lighttpd", "lighttpd-mod-openssl"),
        (_http(8005, "lighttpd", "lighttpd"), _http(8006, "lighttpd", "lighttpd", tls=True)),
        _lighttpd,
        light=True,
    ),
    Recipe("caddy", ("caddy",), (_http(8007, "Caddy httpd"),), _caddy),
    Recipe(
        "haproxy",
        ("haproxy",),
        (
            _http(8008, "HAProxy", service="http-proxy"),
            _http(8009, "HAProxy", service="http-proxy", tls=True),
            _http(8010, "HAProxy", service="http-proxy"),
            _http(8098, "HAProxy", service="http-proxy"),
        ),
        _haproxy,
    ),
    Recipe("varnish", ("varnish",), (_http(8011, "Varnish", service="http-proxy"),), _varnish),
    Recipe("squid", ("squid",), (_http(3128, "Squid http proxy", "squid", service="http-proxy"),), _squid),
    Recipe(
        "tinyproxy", ("tinyproxy-bin",), (_http(8012, "tinyproxy", "tinyproxy-bin", service="http-proxy"),), _tinyproxy
    ),
    Recipe("privoxy", ("privoxy",), (_http(8118, "Privoxy", service="http-proxy"),), _privoxy),
    Recipe("mitmproxy", ("mitmproxy",), (_http(8052, "mitmproxy", service="http-proxy"),), _mitmproxy, seconds=40.0),
    Recipe(
        "trafficserver",
        ("trafficserver",),
        (_http(8055, "Apache Traffic Server", service="http-proxy"),),
        _traffic_server,
    ),
    Recipe("tomcat10", ("tomcat10",), (_http(8080, "Apache Tomcat", "tomcat10"),), _tomcat, seconds=60.0),
    Recipe("jetty9", ("jetty9",), (_http(8013, "Jetty", "jetty9"),), _jetty, seconds=60.0),
    Recipe("gunicorn", ("python3-gunicorn",), (_http(8014, "Gunicorn"),), _gunicorn),
    Recipe("uwsgi", ("uwsgi-core", "uwsgi-plugin-python3"), (_http(8015, ""),), _uwsgi),
    Recipe("python-http", ("python3",), (_http(8016, "SimpleHTTPServer"),), _python_http, light=True),
    Recipe("php", ("php-cli",), (_http(8017, "PHP cli server"), _http(8099, "PHP cli server")), _php),
    Recipe("node", ("nodejs",), (_http(8018, ""),), _node),
    Recipe("express", ("node-express",), (_http(8019, "Node.js Express framework"),), _express),
    Recipe("webrick", ("ruby-webrick",), (_http(8020, "WEBrick httpd", "ruby-webrick"),), _webrick),
    Recipe("puma", ("puma",), (_http(8021, ""),), _puma),
    Recipe("thin", ("thin",), (_http(8022, "Thin httpd"),), _thin),
    Recipe("unicorn", ("unicorn",), (_http(8023, ""),), _unicorn),
    Recipe("mini-httpd", ("mini-httpd",), (_http(8024, "mini_httpd", "mini-httpd"),), _mini_httpd),
    Recipe("webfs", ("webfs",), (_http(8025, "webfs"),), _webfs),
    Recipe("micro-httpd", ("micro-httpd", "socat"), (_http(8026, "micro_httpd"),), _micro_httpd, light=True),
    Recipe("busybox", ("busybox",), (_http(8027, "BusyBox httpd"), _http(8096, "BusyBox httpd")), _busybox, light=True),
    Recipe(
        "nghttp2",
        ("nghttp2-server", "nghttp2-proxy"),
        (_http(8028, ""), _http(8029, "nghttpx", service="http-proxy")),
        _nghttp2,
    ),
    Recipe("h2o", ("h2o",), (_http(8030, "H2O httpd"),), _h2o),
    Recipe("weborf", ("weborf",), (_http(8032, "Weborf"),), _weborf),
    Recipe("civetweb", ("civetweb",), (_http(8033, ""),), _civetweb),
    Recipe("yaws", ("yaws",), (_http(8034, "Yaws httpd"),), _yaws, seconds=40.0),
    Recipe("twisted", ("python3-twisted",), (_http(8035, "TwistedWeb httpd", "python3-twisted"),), _twisted),
    _python_recipe("tornado", "python3-tornado", "Tornado httpd", told=False),
    _python_recipe("aiohttp", "python3-aiohttp", "aiohttp"),
    _python_recipe("waitress", "python3-waitress", "Waitress", told=False),
    _python_recipe("cherrypy", "python3-cherrypy3", "CherryPy wsgiserver"),
    _python_recipe("flask", "python3-werkzeug", "Werkzeug httpd"),
    _python_recipe("gevent", "python3-gevent", "", told=False),
    _python_recipe("wsgiref", "python3", "WSGIServer", told=False),
    _python_recipe("eventlet", "python3-eventlet", "", told=False),
    _python_recipe("uvicorn", "python3-uvicorn", "Uvicorn", told=False),
    _python_recipe("hypercorn", "python3-hypercorn", "Hypercorn", told=False),
    *APPLICATIONS,
)
