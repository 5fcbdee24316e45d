"""The table is whole and fits the options of a scan."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from leadline.cli.options import BY_NAME, GROUPS, OPTIONS, Kind, Option, Take
from leadline.model.plan import PingKind
from leadline.plan.options import Options
from leadline.plan.technique_choice import OPTION_OF

# Spec sheet 1.1 to 1.8.
NMAP = """
-iL -iR --exclude --excludefile --randomize-hosts --rH --resolve-all --unique -4 -6 -sL -sn -sP -Pn -P0 -PN -PD -PS
-PA -PU -PY -PE -PP -PM -PI -P -PO -PB -PR --disable-arp-ping --discovery-ignore-rst -n -R --dns-servers
--system-dns --traceroute -sS -sT -sA -sW -sM -sU -sN -sF -sX -sY -sZ -sO -sI -b --scanflags -sR -A -p
--exclude-ports -F --top-ports --port-ratio -r --servicedb -sV --version-intensity --version-light --version-all
--version-trace --allports --versiondb -sC --script --script-args --script-args-file --script-help --script-trace
--script-updatedb --script-timeout -O --osscan-limit --osscan-guess --fuzzy --max-os-tries -T --timing
--min-hostgroup --max-hostgroup --min-parallelism --max-parallelism -M --min-rtt-timeout --max-rtt-timeout
--initial-rtt-timeout --max-retries --host-timeout --scan-delay --max-scan-delay --min-rate --max-rate
--defeat-rst-ratelimit --defeat-icmp-ratelimit --nsock-engine --nogcc -f --mtu -D -S -e -g --source-port --data
--data-string --data-length --ip-options --ttl --spoof-mac --badsum --adler32 --proxies --proxy --send-eth
--send-ip -oN -oX -oG -oM -m -oS -oA -v -d --reason --open --packet-trace --iflist --stats-every --append-output
--resume --noninteractive --stylesheet --webxml --no-stylesheet --deprecated-xml-osclass -V -h --datadir
--privileged --unprivileged --route-dst --release-memory --log-errors -I
""".split()  # noqa: SIM905 - a table to read


@pytest.mark.parametrize("name", NMAP)
def test_every_option_of_nmap_is_known(name: str) -> None:
    assert name in BY_NAME


def test_names_are_unique() -> None:
    names = [name for option in OPTIONS for name in option.names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.names[0])
def test_fields_exist(option: Option) -> None:
    known = {each.name for each in fields(Options)} | {"speed", "destinations", ""}
    if option.kind is Kind.PING:
        assert option.field in {kind.value for kind in PingKind}
    else:
        assert option.field in known
    if option.kind in (Kind.TIME, Kind.INTEGER, Kind.NUMBER, Kind.TEXT, Kind.OUTPUT, Kind.INPUT, Kind.COMMA_LIST):
        assert option.take is Take.VALUE


def test_techniques_are_those_of_the_plan() -> None:
    for technique, option in OPTION_OF.items():
        chosen = BY_NAME[option]
        # An option that names a host chooses its technique by being there.
        assert chosen.value == technique.value or (chosen.kind is Kind.TEXT and chosen.field in ("zombie", "relay"))


def test_take() -> None:
    assert BY_NAME["-sS"].take is Take.NOTHING
    assert BY_NAME["-p"].take is Take.VALUE
    assert BY_NAME["-PS"].take is Take.ATTACHED


def test_what_is_shown_is_built_and_told() -> None:
    for _, options in GROUPS:
        for option in options:
            assert option.kind not in (Kind.MISSING, Kind.IGNORED)
            assert option.help


def test_the_reference_page_names_options_that_work() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "command-line.md").read_text()
    examples = {"-nv", "-sSV", "-oXscan", "-open", "--ope"}
    found = set(re.findall(r"`(--[a-zA-Z0-9-]+|-[a-zA-Z][a-zA-Z-]*)", page)) - examples
    assert len(found) > 20
    for name in found:
        assert name in BY_NAME, name
        assert BY_NAME[name].kind not in (Kind.MISSING, Kind.IGNORED), name
