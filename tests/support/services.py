"""What two scans say of services, side by side: reads the ``service`` elements of XML in Nmap's format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from lxml import etree

from leadline.services.expansion import FIELDS
from leadline.services.matcher import Match

Place = tuple[str, str, int]
"""Address, protocol, port number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One port's service. ``name`` is empty when it was only looked up in a table: the tables differ."""

    name: str = ""
    product: str = ""
    version: str = ""
    extrainfo: str = ""
    hostname: str = ""
    ostype: str = ""
    devicetype: str = ""
    tunnel: str = ""
    cpe: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = f"{self.tunnel}/{self.name or '?'}" if self.tunnel else self.name or "?"
        extra = f"({self.extrainfo})" if self.extrainfo else ""
        return " ".join(filter(None, (name, self.product, self.version, extra)))


NOTHING = Seen()


def seen_of(match: Match) -> Seen:
    """What a rule says, as a scan would show it."""
    return Seen(match.service, tunnel=match.tunnel, **{name: getattr(match, name) for name in FIELDS})


# What a server says of itself that is another thing a moment later.
_MOVING = re.compile(r"(?<=uptime )\d+|(?<=server time: )[-\d]+ [:\d]+")


def services(document: bytes) -> dict[Place, Seen]:
    """The service of every open port of a scan. Damaged XML raises ``etree.XMLSyntaxError``."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    root = etree.fromstring(document, parser)
    return dict(_services(root))


def _services(root: etree._Element) -> Iterator[tuple[Place, Seen]]:
    for host in root.iter("host"):
        kinds = {item.get("addrtype"): item.get("addr", "") for item in host.findall("address")}
        address = kinds.get("ipv4") or kinds.get("ipv6") or ""
        for port in host.iter("port"):
            state = port.find("state")
            if state is None or state.get("state") != "open":
                continue
            place = (address, port.get("protocol", ""), int(port.get("portid", "0")))
            yield place, _seen(port.find("service"))


def _seen(element: etree._Element | None) -> Seen:
    if element is None:
        return NOTHING
    words = ("product", "version", "extrainfo", "hostname", "ostype", "devicetype", "tunnel")
    probed = element.get("method") == "probed"
    return Seen(
        name=element.get("name", "") if probed and element.get("name") != "unknown" else "",
        cpe=tuple(sorted(item.text or "" for item in element.findall("cpe"))),
        **{word: element.get(word, "") for word in words},
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one port."""

    place: Place
    field: str
    peer: str
    ours: str

    def __str__(self) -> str:
        address, protocol, number = self.place
        return f"{address} {number}/{protocol} {self.field}: peer {self.peer!r}, ours {self.ours!r}"


def service_differences(peer: Mapping[Place, Seen], ours: Mapping[Place, Seen]) -> list[Difference]:
    """Every field in which they differ (uptimes do), and every port that only one of them saw open (field ``open``)."""
    found = []
    for place in sorted(peer.keys() | ours.keys()):
        theirs, mine = peer.get(place), ours.get(place)
        if theirs is None or mine is None:
            found.append(Difference(place, "open", str(theirs is not None), str(mine is not None)))
            continue
        for field in fields(Seen):
            one, other = getattr(theirs, field.name), getattr(mine, field.name)
            if _MOVING.sub("", _text(one)) != _MOVING.sub("", _text(other)):
                found.append(Difference(place, field.name, _text(one), _text(other)))
    return found


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else " ".join(value)
