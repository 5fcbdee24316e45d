"""The judges of the comparison: a wrong product, a missed version, a difference between two scans must be seen."""

from __future__ import annotations

import pytest

from tests.servers.recipe import Listener
from tests.servers.recipes import IN_TESTS, all_recipes, chosen
from tests.servers.verdict import judge, same_product, trimmed_version
from tests.support.services import Difference, Seen, service_differences, services

PLACE = ("192.0.2.1", "tcp", 22)


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("1:9.2p1-2+deb12u3", "9.2p1"),
        ("15.18-0+deb12u1", "15.18"),
        ("5:7.0.15-1~deb12u10", "7.0.15"),
        ("2.2.5+dfsg2-7", "2.2.5"),
        ("1.6.7~rc0-2+b2", "1.6.7"),
        ("20140814-2.1", "20140814"),
        ("3.0.3", "3.0.3"),
    ],
)
def test_debian_versions_become_upstream_versions(debian: str, upstream: str) -> None:
    assert trimmed_version(debian) == upstream


@pytest.mark.parametrize(
    ("expected", "seen", "same"),
    [
        ("Apache httpd", "Apache", True),
        ("nginx", "nginx", True),
        ("Redis Sentinel", "Redis key-value store", False),
        ("nginx", "", False),
        ("", "nginx", False),
        ("", "", True),
    ],
)
def test_products_are_compared_by_their_words(expected: str, seen: str, same: bool) -> None:
    assert same_product(expected, seen) is same


SSH = Listener(22, service="ssh", product="OpenSSH", version="@openssh-server")
RIGHT = Seen(name="ssh", product="OpenSSH", version="9.2p1 Debian 2")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (RIGHT, "right"),
        (Seen(name="ssh", product="OpenSSH"), "version missed"),
        (Seen(name="ssh", product="OpenSSH", version="8.4p1"), "version missed"),
        (Seen(name="ssh", product="dropbear sshd", version="9.2p1"), "WRONG PRODUCT"),
        (Seen(name="ssh"), "MISSED"),
        (Seen(), "MISSED"),
        (Seen(name="ftp", product="OpenSSH", version="9.2p1"), "MISSED"),
        (Seen(name="ssh", product="OpenSSH", version="9.2p1", tunnel="ssl"), "MISSED"),
    ],
)
def test_verdicts(seen: Seen, said: str) -> None:
    assert str(judge(SSH, seen, lambda package: "9.2p1")) == said


def test_a_server_that_does_not_tell_must_not_be_named() -> None:
    assert judge(Listener(7, service="echo"), Seen(name="echo", product="Linux echo")).wrong
    assert not judge(Listener(5601), Seen()).wrong
    assert judge(Listener(5601), Seen(product="nginx")).wrong


def test_every_differing_field_is_told() -> None:
    other = Seen(name="ssh", product="OpenSSH", version="9.2p1", cpe=("cpe:/a:openbsd:openssh",), tunnel="ssl")
    found = {difference.field for difference in service_differences({PLACE: RIGHT}, {PLACE: other})}
    assert found == {"version", "cpe", "tunnel"}
    assert service_differences({PLACE: RIGHT}, {PLACE: RIGHT}) == []
    assert service_differences({PLACE: RIGHT}, {}) == [Difference(PLACE, "open", "True", "False")]


def test_uptimes_may_differ_but_not_what_is_beside_them() -> None:
    first, later, other = (Seen(extrainfo=text) for text in ("uptime 3 seconds", "uptime 14 seconds", "uptime 3 days"))
    assert service_differences({PLACE: first}, {PLACE: later}) == []
    assert service_differences({PLACE: first}, {PLACE: other}) != []


def test_services_are_read_from_nmaps_format() -> None:
    document = b"""<nmaprun><host><address addr="192.0.2.1" addrtype="ipv4"/><ports>
    <port protocol="tcp" portid="22"><state state="open"/><service name="ssh" product="OpenSSH" method="probed"
        conf="10" tunnel="ssl"><cpe>cpe:/o:x</cpe><cpe>cpe:/a:y</cpe></service></port>
    <port protocol="tcp" portid="23"><state state="open"/><service name="telnet" method="table" conf="3"/></port>
    <port protocol="tcp" portid="24"><state state="open"/></port>
    <port protocol="tcp" portid="25"><state state="closed"/></port></ports></host></nmaprun>"""
    assert services(document) == {
        ("192.0.2.1", "tcp", 22): Seen(name="ssh", product="OpenSSH", tunnel="ssl", cpe=("cpe:/a:y", "cpe:/o:x")),
        ("192.0.2.1", "tcp", 23): Seen(),
        ("192.0.2.1", "tcp", 24): Seen(),
    }


def test_recipes_have_names_and_ports_of_their_own() -> None:
    assert len(all_recipes()) >= 40
    assert {recipe.name for recipe in chosen(IN_TESTS)} == set(IN_TESTS)
    with pytest.raises(ValueError, match="no such recipe: nobody"):
        chosen(["nobody"])
