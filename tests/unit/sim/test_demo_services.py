from __future__ import annotations

from leadline.sim.demo import demo_world
from leadline.sim.demo_services import _MACHINES, services_of
from leadline.sim.world import SimHost
from tests.support.sim_dialogue import answers


def machines() -> dict[str, SimHost]:
    world = demo_world()
    routers = [router.host for subnet in world.subnets for router in subnet.routers]
    return {host.hostname.partition(".")[0]: host for host in (*world.hosts, *routers, world.local)}


def test_every_machine_is_one_of_the_company() -> None:
    assert set(_MACHINES) == set(machines())


def test_services_are_on_open_ports_and_every_open_port_has_one() -> None:
    for host in machines().values():
        on_tcp = [service.port for service in host.services if service.protocol == 6]
        on_udp = [service.port for service in host.services if service.protocol == 17]
        assert set(on_tcp) == host.tcp.open
        assert set(on_udp) <= host.udp.open
        assert len(set(on_tcp)) == len(on_tcp)


def test_few_ports_are_left_without_a_service() -> None:
    unnamed = [(name, one.port) for name, host in machines().items() for one in host.services if not one.name]
    assert {port for _, port in unnamed} == {5060, 9100}


def test_who_is_unknown_stays_silent() -> None:
    (service,) = services_of("nobody", (80,))
    assert answers(service, b"GET / HTTP/1.0\r\n\r\n") == [b"", b""]


def test_certificates_tell_names_of_the_company() -> None:
    shown = [one.tls or one.start_tls for host in machines().values() for one in host.services]
    certificates = [tls.certificate for tls in shown if tls is not None]
    assert len(certificates) > 15
    assert all(one is not None and one.names[0].endswith("demo.example") for one in certificates)


def test_the_same_machine_says_the_same_each_time() -> None:
    assert services_of("mail", (25,)) == services_of("mail", (25,))
    assert hash(services_of("legacy", (21, 80))) == hash(services_of("legacy", (21, 80)))
