"""Message brokers, and remote calls between programs. Own numbers: 30050 to 30099."""

from __future__ import annotations

from tests.servers.recipe import Listener, Place, Recipe

JARS = "/usr/share/java/*:/usr/share/activemq/lib/*"
BROKER = """
import org.apache.activemq.broker.BrokerService;

public class Broker {
    public static void main(String[] urls) throws Exception {
        BrokerService broker = new BrokerService();
        broker.setPersistent(false);
        broker.setUseJmx(false);
        for (String url : urls) broker.addConnector(url);
        broker.start();
        broker.waitUntilStopped();
    }
}
"""


def _rabbitmq(place: Place) -> None:
    folder = place.make_folder("home", user="rabbitmq")
    settings = "listeners.tcp.default = 5672\nloopback_users.guest = true\nmqtt.listeners.tcp.default = 30061\n"
    secure = "listeners.ssl.default = 5671\nssl_options.certfile = {}\nssl_options.keyfile = {}\n"
    text = settings + secure.format(place.certificate, place.key) + "ssl_options.verify = verify_none\n"
    place.write("home/rabbitmq.conf", text, user="rabbitmq")
    place.write("home/enabled_plugins", "[rabbitmq_stomp,rabbitmq_mqtt,rabbitmq_amqp1_0].\n", user="rabbitmq")
    env = {
        "HOME": str(folder),
        "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_PID_FILE": f"{folder}/pid",
        "RABBITMQ_NODENAME": "rabbit@host",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "ERL_EPMD_PORT": "30056",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",
    }
    place.run("/usr/lib/rabbitmq/bin/rabbitmq-server", user="rabbitmq", env=env)


def _mosquitto(place: Place) -> None:
    text = (
        "per_listener_settings true\nlistener 1883 0.0.0.0\nallow_anonymous true\n"
        "listener 1884 0.0.0.0\nallow_anonymous false\n"
        f"listener 8883 0.0.0.0\nallow_anonymous true\ncertfile {place.certificate}\nkeyfile {place.key}\n"
    )
    place.run("mosquitto", "-c", str(place.write("mosquitto.conf", text)))


def _nats(place: Place) -> None:
    place.run("nats-server", "-a", "0.0.0.0", "-p", "4222")


def _activemq(place: Place) -> None:
    """A broker of a few lines with OpenWire and STOMP, compiled when it starts (Debian has no AMQP transport of it)."""
    place.write("Broker.java", BROKER)
    urls = ("tcp://0.0.0.0:61616", "stomp://0.0.0.0:30055")
    place.run("java", "-Xmx192m", "-cp", JARS, "Broker.java", *urls)


def _rmi(place: Place) -> None:
    place.run("rmiregistry", "1099", "-J-Xmx64m")


def _ajp(place: Place) -> None:
    """Tomcat with nothing but a connector of AJP."""
    base = place.folder
    for name in ("conf", "logs", "temp", "webapps", "work"):
        place.make_folder(name)
    place.write(
        "conf/server.xml",
        '<Server port="-1"><Service name="Catalina">'
        '<Connector protocol="AJP/1.3" address="0.0.0.0" port="30080" secretRequired="false"/>'
        '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>'
        "</Service></Server>\n",
    )
    place.write("conf/web.xml", '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0"/>\n')
    home = "/usr/share/tomcat10"
    place.run("java", "-Xmx128m", "-cp", f"{home}/bin/bootstrap.jar:{home}/bin/tomcat-juli.jar",
              f"-Dcatalina.home={home}", f"-Dcatalina.base={base}", f"-Djava.io.tmpdir={base}/temp",
              "org.apache.catalina.startup.Bootstrap", "start")  # fmt: skip


def _fastcgi(place: Place) -> None:
    text = (
        f"[global]\npid = {place.folder}/pid\nerror_log = /dev/stderr\ndaemonize = no\n"
        "[www]\nuser = nobody\ngroup = nogroup\nlisten = 0.0.0.0:9000\npm = static\npm.max_children = 4\n"
    )
    place.run("php-fpm8.2", "--nodaemonize", "--fpm-config", str(place.write("fpm.conf", text)))


QUEUES = (
    Recipe(
        "rabbitmq",
        ("rabbitmq-server",),
        (
            Listener(5672, service="amqp", product="RabbitMQ", version="@rabbitmq-server"),
            Listener(5671, tls=True, service="amqp", product="RabbitMQ", version="@rabbitmq-server"),
            Listener(25672, service="erlang-dist"),
            Listener(61613, service="stomp", product="RabbitMQ"),
            Listener(30061, service="mqtt"),
        ),
        _rabbitmq,
        seconds=90.0,
    ),
    Recipe(
        "mosquitto",
        ("mosquitto",),
        (
            Listener(1883, service="mqtt", product="Mosquitto", version="@mosquitto"),
            Listener(1884, service="mqtt"),
            Listener(8883, tls=True, service="mqtt", product="Mosquitto", version="@mosquitto"),
        ),
        _mosquitto,
        light=True,
    ),
    Recipe(
        "nats",
        ("nats-server",),
        (Listener(4222, service="nats", product="NATS server", version="@nats-server"),),
        _nats,
        light=True,
    ),
    Recipe(
        "activemq",
        ("activemq", "default-jdk-headless"),
        (
            Listener(61616, service="apachemq", product="ActiveMQ OpenWire transport", version="@activemq"),
            Listener(30055, service="stomp", product="ActiveMQ", version="@activemq"),
        ),
        _activemq,
        seconds=60.0,
    ),
    Recipe("rmiregistry", ("default-jre-headless",), (Listener(1099, service="java-rmi", product="Java RMI"),), _rmi),
    Recipe(
        "tomcat-ajp",
        ("tomcat10",),
        (Listener(30080, service="ajp13", product="Apache Tomcat", version="@tomcat10"),),
        _ajp,
        seconds=60.0,
    ),
    Recipe("php-fpm", ("php8.2-fpm",), (Listener(9000, service="fastcgi"),), _fastcgi, light=True),
)
