"""``-f``, ``-D``, ``-S``, ``--ttl`` and the like: what is other about the packets of a scan (spec sheet 1.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from leadline.data.vendors import prefix_of
from leadline.errors import UsageError
from leadline.model.ip import Address
from leadline.model.plan import PacketShape, Technique
from leadline.plan.ip_options import read_ip_options
from leadline.plan.options import Options

MOST_DECOYS = 128
LONGEST_DATA = 65_435
"""Bytes of ``--data-length`` (spec sheet 1.7)."""
OFTEN_TOO_LONG = 1400
_FRAGMENT = 8
_LARGEST_CHUNK = 65_528
_MAC_BYTES = 6

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+", re.ASCII)
_ESCAPED_HEX = re.compile(r"(?:\\x[0-9A-Fa-f]{2})+", re.ASCII)
_MAC_DIGITS = re.compile(r"[0-9A-Fa-f]{2}([:.-]?[0-9A-Fa-f]{2})*", re.ASCII)
_RANDOM = re.compile(r"(?i:rnd)(?::([0-9]{1,4}))?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?", re.ASCII)
_NEEDS = "needs the right to send raw packets (root or CAP_NET_RAW)"


def read_shape(options: Options) -> PacketShape:
    """The shape that was asked for. Raises ``UsageError`` for what ``check_shape`` tells."""
    source = ip_address(options.source_address) if options.source_address is not None else None
    ip_options, first_hop = read_ip_options(options.ip_options) if options.ip_options is not None else (b"", None)
    data = None
    if options.data_hex is not None:
        data = _hex_bytes(options.data_hex)
    elif options.data_string is not None:
        data = options.data_string.encode("utf-8", "surrogateescape")
    return PacketShape(
        source=source,
        interface=options.interface or "",
        ttl=options.ttl,
        ip_options=ip_options,
        first_hop=first_hop,
        mac=_mac_prefix(options.spoof_mac) if options.spoof_mac is not None else None,
        source_port=options.source_port,
        data=data,
        data_length=options.data_length or 0,
        decoys=options.decoys,
        bad_checksum=options.badsum,
        chunk=options.mtu or _FRAGMENT * len(options.fragments),
        layer=options.send_layer or "",
    )


def shape_families(options: Options) -> frozenset[int]:
    """The address families (4, 6) that can be scanned in this shape; ``options`` is already checked."""
    families = {4, 6} if options.family is None else {options.family}
    fixed = [options.source_address] if options.source_address is not None else []
    for text in (*fixed, *options.decoys):
        address = _address(text)
        if address is not None:
            families &= {address.version}
        elif _RANDOM.fullmatch(text):
            families &= {4}
    if options.fragments or options.mtu is not None or options.ip_options is not None:
        families &= {4}
    return frozenset(families)


def random_decoys(text: str) -> int:
    """How many random addresses a decoy stands for: ``RND`` one, ``RND:5`` five, everything else none."""
    matched = _RANDOM.fullmatch(text)
    return int(matched[1] or 1) if matched else 0


def shape_notices(options: Options, techniques: tuple[Technique, ...]) -> list[str]:
    """What a user should know of the shape; ``options`` is already checked."""
    notices = []
    raw = [name for name, _ in _given(options) if name in _RAW_ONLY]
    if raw and Technique.CONNECT in techniques and len(techniques) > 1:
        notices.append(f"The connections of -sT are the kernel's: {_listed(raw)} does not shape them.")
    if options.source_address is not None and options.interface is None:
        notices.append("Packets from the address of -S leave as routed; -e chooses the interface.")
    if options.source_port == 0:
        notices.append("Many systems do not answer packets from source port 0 (-g).")
    if max(options.data_length or 0, len(options.data_string or ""), len(options.data_hex or "") // 2) > OFTEN_TOO_LONG:
        notices.append(
            f"Packets with more than {OFTEN_TOO_LONG} bytes of data often do not fit the link: see -f, --mtu."
        )
    return notices


def shape_rights(options: Options) -> list[str]:
    """Sentences for what cannot be done without the right to raw packets."""
    return [f"{name} {_NEEDS}." for name, _ in _given(options) if name in _RAW_ONLY]


def check_shape(options: Options) -> Iterator[str]:
    """One sentence for each mistake."""
    given = _given(options)
    if not given:
        return
    yield from _check_values(options)
    yield from _check_decoys(options)
    yield from _check_company(options, [name for name, _ in given])


def _given(options: Options) -> list[tuple[str, str]]:
    """The options that were used: as typed, and the field."""
    values = ((name, field, getattr(options, field)) for name, field in _FIELDS)
    # Zero is a value: it equals False, but is not it.
    return [(name, field) for name, field, value in values if value is not None and value is not False and value != ()]


_FIELDS = (
    ("-f", "fragments"),
    ("--mtu", "mtu"),
    ("-D", "decoys"),
    ("-S", "source_address"),
    ("-e", "interface"),
    ("-g", "source_port"),
    ("--data", "data_hex"),
    ("--data-string", "data_string"),
    ("--data-length", "data_length"),
    ("--ip-options", "ip_options"),
    ("--ttl", "ttl"),
    ("--spoof-mac", "spoof_mac"),
    ("--badsum", "badsum"),
    ("--send-eth or --send-ip", "send_layer"),
)
# Connections can have these, too.
_ANY = ("-S", "-e", "--ttl", "--ip-options")
_RAW_ONLY = frozenset(name for name, _ in _FIELDS if name not in _ANY)


def _check_values(options: Options) -> Iterator[str]:
    if options.fragments and options.mtu is not None:
        yield "-f and --mtu both choose the size of fragments: use one of them."
    if options.mtu is not None and (options.mtu % _FRAGMENT or not 0 < options.mtu <= _LARGEST_CHUNK):
        yield f"--mtu needs a multiple of 8 from 8 to {_LARGEST_CHUNK}, not {options.mtu}."
    for name, number, most in (
        ("--ttl", options.ttl, 255),
        ("-g", options.source_port, 65_535),
        ("--data-length", options.data_length, LONGEST_DATA),
    ):
        if number is not None and not 0 <= number <= most:
            yield f"{name} needs a number from 0 to {most}, not {number}."
    if options.source_address is not None and _address(options.source_address) is None:
        yield f"-S needs an address, not {options.source_address!r}."
    if options.interface == "":
        yield "-e needs the name of an interface."
    readers = (("--data", options.data_hex, _hex_bytes), ("--ip-options", options.ip_options, read_ip_options))
    for name, text, read in (*readers, ("--spoof-mac", options.spoof_mac, _mac_prefix)):
        if text is not None:
            try:
                read(text)
            except UsageError as error:
                yield f"{name} {error.messages[0]}."
    if len(options.data_string or "") > LONGEST_DATA:
        yield f"--data-string can have at most {LONGEST_DATA} bytes."
    if (options.send_layer or "ip") not in ("ethernet", "ip"):
        yield f"Packets are sent by way of ethernet or ip, not {options.send_layer!r}."


def _check_decoys(options: Options) -> Iterator[str]:
    count = 0
    for text in options.decoys:
        matched = _RANDOM.fullmatch(text)
        count += random_decoys(text) or 1
        if matched and matched[1] is not None and not int(matched[1]):
            yield f"-D: {text!r} stands for no decoy at all."
        elif not matched and _address(text) is None and not _NAME.fullmatch(text):
            yield f"-D needs addresses, names, ME, RND or RND:N, not {text!r}."
    own = [text for text in options.decoys if text.upper() == "ME"]
    if len(own) > 1:
        yield "-D can place yourself (ME) once only."
    if count - len(own) > MOST_DECOYS:
        yield f"-D takes at most {MOST_DECOYS} decoys, not {count - len(own)}."


def _check_company(options: Options, given: list[str]) -> Iterator[str]:
    """What contradicts other options."""
    data = [name for name in given if name.startswith("--data")]
    if len(data) > 1:
        yield f"{' and '.join(data)} each choose what packets carry: use one of them."
    if "--spoof-mac" in given and options.send_layer == "ip":
        yield "--spoof-mac needs frames of our own, and with --send-ip the kernel makes them: use one of them."
    if options.family == 6:
        for name in ("-f", "--mtu", "--ip-options"):
            if name in given:
                yield f"{name} is about IPv4 packets and cannot be used with -6."
    if not shape_families(options) and not (options.family == 6 and {"-f", "--mtu", "--ip-options"} & set(given)):
        names = [name for name in given if name in _OF_FAMILY] + ([f"-{options.family}"] if options.family else [])
        yield f"{_listed(names)} are about different address families, so they cannot be used together."
    raw = [name for name in given if name in _RAW_ONLY]
    if options.techniques and set(options.techniques) == {Technique.CONNECT.value} and raw and not options.ping_scan:
        yield f"{_listed(raw)} shapes raw packets; -sT sends none, so they cannot be combined."
    spoofing = {Technique.IDLE.value: "-sI", Technique.BOUNCE.value: "-b"}
    for name in dict.fromkeys(options.techniques):
        if "-D" in given and name in spoofing:
            yield f"{spoofing[name]} has others send the probes, so decoys (-D) cannot be used with it."
    if options.ttl == 0 and Technique.CONNECT.value in options.techniques:
        yield "--ttl 0 is for raw packets; the connections of -sT need at least 1."
    if options.list_scan:
        yield f"-sL sends nothing to its targets, so {_listed(given)} cannot be used with it."
    if options.proxies:
        yield f"--proxies carries connections only: {_listed(given)} has no part in them."


_OF_FAMILY = ("-f", "--mtu", "-D", "-S", "--ip-options")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _hex_bytes(text: str) -> bytes:
    r"""``0xdeadbeef``, ``\xde\xad`` or ``dead``."""
    digits = text[2:] if text[:2].lower() == "0x" else text
    if _ESCAPED_HEX.fullmatch(digits):
        digits = digits.replace("\\x", "")
    if not _HEX.fullmatch(digits):
        raise UsageError(f"needs bytes as pairs of hex digits (0xDEADBEEF, \\xCA\\xFE), not {text!r}")
    if len(digits) // 2 > LONGEST_DATA:
        raise UsageError(f"can have at most {LONGEST_DATA} bytes")
    return bytes.fromhex(digits)


def _mac_prefix(text: str) -> bytes:
    """What ``--spoof-mac`` fixes of the address; nothing for ``0``."""
    if text == "0":
        return b""
    if _MAC_DIGITS.fullmatch(text):
        prefix = bytes.fromhex(re.sub("[:.-]", "", text))
        if len(prefix) > _MAC_BYTES:
            raise UsageError(f"needs at most 6 bytes, not {text!r}")
        if prefix[0] & 1:
            raise UsageError(f"needs the address of one card, and {text!r} is a group's (its first byte is odd)")
        return prefix
    prefix, _ = prefix_of(text)
    if not prefix:
        raise UsageError(f"needs 0, pairs of hex digits or (a part of) a maker's name, not {text!r}")
    return prefix
