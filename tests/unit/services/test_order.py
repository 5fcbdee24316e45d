from leadline.data.service_grammar import parse
from leadline.model.port import Protocol
from leadline.services.order import LISTENING, PatientOrder
from tests.support.playbook import matcher


def names(port: int, tunnel: str = "", intensity: int = 7, service: str = "", udp: bool = False) -> list[str]:
    protocol = Protocol.UDP if udp else Protocol.TCP
    order = PatientOrder(matcher().probes, port, protocol, tunnel, intensity)
    return [probe.name for _, probe in order.probes(service)]


def test_the_banner_then_what_lists_the_port_then_the_others() -> None:
    assert names(8080) == ["NULL", "GetRequest", "GenericLines", "Help", "TLSSessionReq"]
    assert names(443) == ["NULL", "TLSSessionReq", "GenericLines", "GetRequest", "Help"]


def test_inside_tls_the_ports_behind_tls_count() -> None:
    assert names(443, "ssl") == ["NULL", "GetRequest", "GenericLines", "Help", "TLSSessionReq"]


def test_rarity_bounds_only_what_does_not_list_the_port() -> None:
    assert names(21, intensity=1) == ["NULL", "Help", "GenericLines", "GetRequest", "TLSSessionReq"]
    assert names(22, intensity=0) == ["NULL"]
    assert "Rare" in names(22, intensity=9)


def test_a_softmatch_narrows_whatever_the_rarity() -> None:
    assert names(2121, service="ftp") == ["NULL", "Help"]
    assert names(2121, service="rare", intensity=1) == ["NULL", "Rare"]
    assert names(2121, service="ftp", intensity=9) == names(2121, intensity=9)


def test_udp_has_no_banner() -> None:
    assert names(53, udp=True) == ["DNS", "Other"]


def test_places_compare_as_the_order_goes() -> None:
    order = PatientOrder(matcher().probes, 80, Protocol.TCP, "", 8)
    places = [place for place, _ in order.probes()]
    assert places == sorted(places)
    assert places[0] == LISTENING
    assert [place for place, _ in order.probes(after=places[2])] == places[3:]
    assert order.eligible(LISTENING, "ftp")
    assert not order.eligible(places[1], "ftp")


def test_probes_are_found_by_name_and_by_service() -> None:
    order = PatientOrder(matcher().probes, 7777, Protocol.TCP, "", 7)
    found = order.of_name("GetRequest")
    assert found is not None
    assert found[1].payload == b"GET / HTTP/1.0\r\n\r\n"
    assert order.of_name("Rare") is None
    speaking = order.speaking_for("ssl")
    assert speaking is not None
    assert speaking[1].name == "TLSSessionReq"
    assert order.speaking_for("gopher") is None


def test_without_a_null_probe_nothing_listens() -> None:
    probes = parse([("x", b"Probe TCP One q|1|\nrarity 1\nmatch a m|^a|\n")])
    order = PatientOrder(probes, 1, Protocol.TCP, "", 7)
    assert order.null is None
    assert [probe.name for _, probe in order.probes()] == ["One"]
