from leadline.model.service import Certificate, Service, ServiceEvidence, TlsFacts


def test_a_name_from_the_port_number_is_all_that_is_known_by_default() -> None:
    service = Service("http")
    assert (service.method, service.confidence) == ("table", 3)
    assert (service.product, service.version, service.extrainfo, service.hostname) == ("", "", "", "")
    assert (service.ostype, service.devicetype, service.cpe, service.tunnel, service.fingerprint) == (
        "",
        "",
        (),
        "",
        "",
    )
    assert service.tls is None
    assert service.evidence is None


def test_services_are_values() -> None:
    assert Service("http", tls=TlsFacts("TLSv1.3", "x", Certificate("CN=a"))) == Service(
        "http", tls=TlsFacts("TLSv1.3", "x", Certificate("CN=a"))
    )
    assert len({Service("http"), Service("http"), Service("http", evidence=ServiceEvidence())}) == 2


def test_tls_is_direct_unless_a_protocol_led_to_it() -> None:
    assert TlsFacts("TLSv1.3", "x").via == "direct"
    assert Certificate().not_after is None
