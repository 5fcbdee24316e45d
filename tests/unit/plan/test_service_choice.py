"""``-sV`` and its options."""

import pytest

from leadline.model.plan import ServicePlan
from leadline.plan.options import Options, PingRequest
from leadline.plan.service_choice import check_services, choose_services, reads_rules


def test_nothing_asked_for() -> None:
    assert choose_services(Options()) == (ServicePlan(), [])
    assert choose_services(Options(nmapdir="/nmap")) == (ServicePlan(), [])


def test_defaults() -> None:
    assert choose_services(Options(versions=True)) == (ServicePlan(enabled=True, intensity=7), [])


def test_every_part() -> None:
    options = Options(
        versions=True, version_intensity=0, version_trace=True, version_wait=2.0, allports=True, versiondb="rules"
    )
    plan = ServicePlan(enabled=True, intensity=0, every_port=True, wait=2.0, rules="rules", trace=True)
    assert choose_services(options) == (plan, [])
    assert choose_services(Options(versions=True, patient=True))[0].patient


@pytest.mark.parametrize(
    "options", [Options(techniques=("syn", "udp"), datadir="b"), Options(pings=(PingRequest("udp"),), datadir="b")]
)
def test_udp_probes_take_their_payloads_from_the_rules(options: Options) -> None:
    assert reads_rules(options)
    assert choose_services(options) == (ServicePlan(rules="b/nmap-service-probes"), [])
    assert not reads_rules(Options(techniques=("syn",)))


def test_rules_by_precedence() -> None:
    plan, notices = choose_services(Options(versions=True, versiondb="a", datadir="b", nmapdir="c"))
    assert (plan.rules, len(notices)) == ("a", 1)
    assert choose_services(Options(versions=True, datadir="b", nmapdir="c"))[0].rules == "b/nmap-service-probes"
    assert choose_services(Options(versions=True, nmapdir="c"))[0].rules == "c/nmap-service-probes"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (Options(version_intensity=0), "--version-intensity"),
        (Options(version_wait=1.0), "--version-wait"),
        (Options(patient=True), "--version-wait"),
        (Options(version_trace=True), "--version-trace"),
        (Options(allports=True), "--allports"),
        (Options(versiondb="x"), "--versiondb"),
        (Options(datadir="x"), "--datadir"),
    ],
)
def test_what_has_no_effect_is_told(options: Options, name: str) -> None:
    plan, notices = choose_services(options)
    assert not plan.enabled
    assert len(notices) == 1
    assert notices[0].startswith(name)
    assert notices[0].endswith("has no effect without -sV.")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(version_intensity=-1), "0 to 9, not -1"),
        (Options(version_intensity=10), "0 to 9, not 10"),
        (Options(version_wait=0.0), "above 0"),
        (Options(version_wait=float("nan")), "above 0"),
        (Options(version_wait=1.0, patient=True), "not both"),
        (Options(versiondb=""), "--versiondb needs"),
        (Options(datadir=""), "--datadir needs"),
        (Options(versions=True, list_scan=True), "-sL scans no ports"),
        (Options(versions=True, ping_scan=True), "-sn scans no ports"),
    ],
)
def test_mistakes(options: Options, words: str) -> None:
    (mistake,) = check_services(options)
    assert words in mistake
    assert mistake.endswith(".")


def test_no_mistake() -> None:
    assert list(check_services(Options(versions=True, version_intensity=9, patient=True, datadir="x"))) == []
    assert list(check_services(Options(ping_scan=True))) == []
