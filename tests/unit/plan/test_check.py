"""Contradictions: each is found, and told in one sentence that names the options."""

from dataclasses import replace

import pytest

from leadline.plan.check import check
from leadline.plan.options import Options, PingRequest

ONE = ("10.0.0.1",)


def messages(**fields: object) -> list[str]:
    fields.setdefault("targets", ONE)
    return check(Options(**fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"targets": (), "input_files": ("-",)},
        {"targets": (), "random": 0},
        {"family": 6, "pings": (PingRequest("icmp-echo"),)},
        {"dns_servers": ("192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53", "[::1]")},
        {"techniques": ("syn", "syn")},
        {"ports": "1-100", "top_ports": 10},
        {"min_rate": 1.0, "max_rate": 1.0},
        {"min_parallelism": 0, "max_retries": 0, "host_timeout": 0.0, "scan_delay": 0.0},
        {"list_scan": True, "skip_discovery": True},
        {"ping_scan": True, "exclude_ports": "80"},
        {"normal": "a", "xml": "b", "grepable": "-", "json": "c", "record": "d"},
    ],
)
def test_fine(fields: dict[str, object]) -> None:
    assert messages(**fields) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"targets": ()}, "No targets"),
        ({"random": -1}, "-iR"),
        ({"random": 1, "family": 6}, "-iR"),
        ({"input_files": ("-",), "exclude_files": ("-",)}, "Standard input"),
        ({"family": 5}, "family"),
        ({"seed": -1}, "seed"),
        ({"reverse": "maybe"}, "Reverse"),
        ({"system_dns": True, "dns_servers": ("192.0.2.1",)}, "--system-dns"),
        ({"pings": (PingRequest("smoke"),)}, "smoke"),
        ({"family": 6, "pings": (PingRequest("icmp-timestamp"),)}, "-PP"),
        ({"family": 6, "pings": (PingRequest("icmp-address-mask"),)}, "-PM"),
        ({"techniques": ("wave",)}, "wave"),
        ({"techniques": ("syn", "connect")}, "-sS or -sT"),
        ({"list_scan": True, "ping_scan": True}, "-sL"),
        ({"list_scan": True, "techniques": ("syn",)}, "-sL scans no ports"),
        ({"ping_scan": True, "techniques": ("connect",)}, "-sn scans no ports"),
        ({"ping_scan": True, "ports": "80"}, "-p cannot"),
        ({"ping_scan": True, "fast": True}, "-F cannot"),
        ({"list_scan": True, "top_ports": 1}, "--top-ports cannot"),
        ({"fast": True, "ports": "80"}, "-F"),
        ({"fast": True, "top_ports": 5}, "--top-ports 100"),
        ({"top_ports": 0}, "--top-ports"),
        ({"ping_scan": True, "versions": True}, "-sn scans no ports, so -sV"),
        ({"list_scan": True, "versions": True}, "-sL scans no ports, so -sV"),
        ({"version_intensity": 10}, "--version-intensity"),
        ({"proxies": ("ftp://a:1",)}, "is no proxy"),
        ({"proxies": ("http://a:1",), "techniques": ("syn",)}, "-sS"),
        ({"timing": 6}, "-T"),
        ({"max_parallelism": 0}, "--max-parallelism"),
        ({"min_hostgroup": 0}, "--min-hostgroup"),
        ({"max_hostgroup": 100_001}, "--max-hostgroup"),
        ({"max_retries": -1}, "--max-retries"),
        ({"min_rate": 0.0}, "--min-rate"),
        ({"max_rate": float("inf")}, "--max-rate"),
        ({"min_rate": 2.0, "max_rate": 1.0}, "--min-rate (2) is greater than --max-rate (1)"),
        ({"min_parallelism": 2, "max_parallelism": 1}, "--min-parallelism"),
        ({"min_hostgroup": 2, "max_hostgroup": 1}, "--min-hostgroup"),
        ({"min_rtt_timeout": 2.0, "max_rtt_timeout": 1.0}, "--min-rtt-timeout"),
        ({"scan_delay": 2.0, "max_scan_delay": 1.0}, "--scan-delay"),
        ({"scan_delay": -1.0}, "--scan-delay"),
        ({"host_timeout": float("nan")}, "--host-timeout"),
        ({"stats_every": 0.0}, "--stats-every"),
        ({"initial_rtt_timeout": 0.0}, "--initial-rtt-timeout"),
        ({"max_rtt_timeout": 0.004}, "--max-rtt-timeout"),
        ({"normal": ""}, "-oN"),
        ({"record": "-"}, "--record"),
        ({"stylesheet": ""}, "--stylesheet"),
        ({"normal": "-", "xml": "-"}, "-oN and -oX cannot both write to standard output"),
        ({"grepable": "x", "json": "x"}, "-oG and -oJ cannot both write to the file x"),
        ({"xml": "x", "record": "x"}, "-oX and --record"),
        ({"verbosity": 11}, "-v"),
        ({"debugging": -1}, "-d"),
    ],
)
def test_one_sentence_each(fields: dict[str, object], words: str) -> None:
    found = messages(**fields)
    assert len(found) == 1
    assert words in found[0]
    assert found[0].endswith(".")


@pytest.mark.parametrize(
    "server", ["", "dns.example", "1.2.3", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:99999", "[::1", "[::1]:", "[::1]x", "::g"]
)
def test_servers_are_addresses(server: str) -> None:
    assert "--dns-servers" in messages(dns_servers=(server,))[0]


def test_all_are_told_at_once() -> None:
    found = messages(targets=(), fast=True, ports="1", timing=9, min_rate=2.0, max_rate=1.0, xml="-", json="-")
    assert len(found) == 5


def test_a_level_is_told_under_the_option_that_set_it() -> None:
    options = Options(targets=("10.0.0.1",), verbosity=11, debugging=11)
    assert check(options) == ["-d takes a level from 0 to 10, not 11."]


def test_there_is_one_event_engine() -> None:
    given = Options(targets=("192.0.2.1",))
    assert check(replace(given, event_engine="epoll")) == []
    assert check(replace(given, event_engine="poll")) == ["--nsock-engine can be epoll only: 'poll' is not built."]


def test_resets_that_are_not_waited_for_are_those_of_a_syn_scan() -> None:
    given = Options(targets=("192.0.2.1",), defeat_rst_ratelimit=True)
    assert check(given) == check(replace(given, techniques=("syn", "sctpinit"))) == []
    assert check(replace(given, techniques=("ack",))) == [
        "--defeat-rst-ratelimit is about the answers to a SYN scan and needs -sS."
    ]
    assert check(replace(given, ping_scan=True)) == ["--defeat-rst-ratelimit is about ports, and none is scanned."]
