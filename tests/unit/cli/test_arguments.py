"""The way of getopt_long_only: spec sheet section 1."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.cli.arguments import Parsed, parse_arguments
from leadline.cli.options import BY_NAME
from leadline.plan.options import Options, PingRequest


def parse(*arguments: str, **environment: str) -> Parsed:
    return parse_arguments(arguments, environment, {"Y": "2026"})


def changed(*arguments: str) -> dict[str, object]:
    """What differs from nothing asked for; there must be no mistake."""
    parsed = parse(*arguments)
    assert parsed.mistakes == ()
    options, default = parsed.options, Options()
    names = [each.name for each in fields(Options) if each.name != "arguments"]
    return {name: getattr(options, name) for name in names if getattr(options, name) != getattr(default, name)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", {}),
        ("a b", {"targets": ("a", "b")}),
        ("a -n b -F c", {"targets": ("a", "b", "c"), "reverse": "never", "fast": True}),
        ("-n -- -F b", {"targets": ("-F", "b"), "reverse": "never"}),
        ("- a", {"targets": ("-", "a")}),
        ("-sS", {"techniques": ("syn",)}),
        ("-sST", {"techniques": ("syn", "connect")}),
        ("-sXV", {"techniques": ("xmas",), "versions": True}),
        ("--scanflags URGPSH -sF", {"techniques": ("fin",), "scan_flags": "URGPSH"}),
        ("-p-", {"ports": "-"}),
        ("-p -", {"ports": "-"}),
        ("-p -100", {"ports": "-100"}),
        ("-pT:80,U:53", {"ports": "T:80,U:53"}),
        ("-p80 -n", {"ports": "80", "reverse": "never"}),
        ("-PS22,80", {"pings": (PingRequest("tcp-syn", "22,80"),)}),
        ("-PS 22", {"pings": (PingRequest("tcp-syn"),), "targets": ("22",)}),
        ("-PE -PP", {"pings": (PingRequest("icmp-echo"), PingRequest("icmp-timestamp"))}),
        ("-P", {"pings": (PingRequest("icmp-echo"),)}),
        ("-Pn", {"skip_discovery": True}),
        ("-P0", {"skip_discovery": True}),
        ("-T4", {"timing": 4}),
        ("-T 4", {"timing": 4}),
        ("-Tpolite", {"timing": 2}),
        ("--timing aggressive", {"timing": 4}),
        ("-oX f", {"xml": "f"}),
        ("-oXf", {"xml": "f"}),
        ("-oX -", {"xml": "-"}),
        ("-oX-", {"xml": "-"}),
        ("-oJ x%Y", {"json": "x2026"}),
        ("-m x", {"grepable": "x"}),
        ("-iL x", {"input_files": ("x",)}),
        ("-iLx -iL -", {"input_files": ("x", "-")}),
        ("-iR 5", {"random": 5}),
        ("-iR5", {"random": 5}),
        ("-v", {"verbosity": 1}),
        ("-vv", {"verbosity": 2}),
        ("-v3", {"verbosity": 3}),
        ("-vvv -v", {"verbosity": 4}),
        ("--verbose", {"verbosity": 1}),
        ("-d2", {"verbosity": 2, "debugging": 2}),
        ("-nv", {"reverse": "never", "verbosity": 1}),
        ("-vn", {"reverse": "never", "verbosity": 1}),
        ("-vd", {"verbosity": 2, "debugging": 1}),
        ("-nFr", {"reverse": "never", "fast": True, "sequential": True}),
        ("-np80", {"reverse": "never", "ports": "80"}),
        ("-open", {"open_only": True}),
        ("--open", {"open_only": True}),
        ("--ope", {"open_only": True}),
        ("-packet-trace", {"packet_trace": True}),
        ("--rH", {"randomize_hosts": True}),
        ("-rH", {"randomize_hosts": True}),
        ("-r", {"sequential": True}),
        ("--max-rate 5", {"max_rate": 5.0}),
        ("--max-rate=5", {"max_rate": 5.0}),
        ("-max-rate=5", {"max_rate": 5.0}),
        ("--max-rat 5", {"max_rate": 5.0}),
        ("--exclude=a,b --exclude c", {"exclude": ("a", "b", "c")}),
        ("--host-timeout 30m", {"host_timeout": 1800.0}),
        ("--host-timeout 0", {"host_timeout": 0.0}),
        ("--scan-delay 1.1s", {"scan_delay": 1.1}),
        ("--top-ports 10", {"top_ports": 10}),
        ("--stylesheet=", {"stylesheet": ""}),
        ("--dns-servers 192.0.2.1,192.0.2.2", {"dns_servers": ("192.0.2.1", "192.0.2.2")}),
        ("--unprivileged", {"privileged": False}),
        ("-M 3", {"max_parallelism": 3}),
        ("--seed 9", {"seed": 9}),
        ("-sV", {"versions": True}),
        ("-sSV", {"techniques": ("syn",), "versions": True}),
        ("-sV --version-intensity 3", {"versions": True, "version_intensity": 3}),
        ("--version-all --version-light", {"version_intensity": 2}),
        ("--version-light --version-all", {"version_intensity": 9}),
        ("--version-wait 500ms", {"version_wait": 0.5}),
        ("--version-wait patient", {"patient": True}),
        ("--version-wait=patient --version-wait 2", {"version_wait": 2.0}),
        ("--version-wait 2 --version-wait patient", {"patient": True}),
        ("--version-trace --allports", {"version_trace": True, "allports": True}),
        ("--versiondb x --datadir y", {"versiondb": "x", "datadir": "y"}),
        ("--proxies http://a:1,socks5://b:2", {"proxies": ("http://a:1", "socks5://b:2")}),
        ("--proxy http://a:1", {"proxies": ("http://a:1",)}),
    ],
)
def test_understood(line: str, expected: dict[str, object]) -> None:
    assert changed(*line.split()) == expected


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("-sSC", "Option -sC (scripts) is not built yet."),
        ("--version-wait 6000", "Option --version-wait takes seconds when no unit is given"),
        ("--version-wait pat", "Option --version-wait needs a time such as 500ms, 2s, 1.5m or 1h, or the word patient"),
        ("--version-intensity x", "Option --version-intensity needs a whole number, not 'x'."),
        ("--versiondb a --versiondb b", "Option --versiondb is given twice."),
        ("--proxies a,,b", "Option --proxies needs names separated by single commas, not 'a,,b'."),
        ("-O2", "Option -O (OS detection) is not built yet."),
        ("-sI a -sI b", "Option -sI is given twice."),
        ("-D a,,ME", "Option -D needs names separated by single commas, not 'a,,ME'."),
        ("-sC", "Option -sC (scripts) is not built yet."),
        ("--script=default", "Option --script (scripts) is not built yet."),
        ("--data 00 --data 01", "Option --data is given twice."),
        ("--send-eth --send-ip", "Options --send-eth and --send-ip cannot be used together."),
        ("-Z", "Option -Z is unknown."),
        ("-sQ", "Option -sQ is unknown."),
        ("-nZ", "Option -Z in -nZ is unknown."),
        ("-PX", "Option -PX is unknown."),
        ("-oQ x", "Option -oQ is unknown."),
        ("--opne", "Option --opne is unknown; did you mean --open?"),
        ("--maxrate", "Option --maxrate is unknown; did you mean --max-rate?"),
        ("--zzz=1", "Option --zzz=1 is unknown."),
        ("--", None),
        ("--=x", "Option --=x is unknown."),
        ("-s", "Option -s needs the letter of a scan type, such as -sS or -sT."),
        ("-p", "Option -p needs a value: PORTS."),
        ("--max-rate", "Option --max-rate needs a value: N."),
        ("-oX", "Option -oX needs a value: FILE."),
        ("--open=yes", "Option --open takes no value."),
        ("-PEx", "Option -PE takes no value, so -PEx is not understood."),
        ("-T9", "Option -T needs a timing template"),
        ("--max-retries x", "Option --max-retries needs a whole number, not 'x'."),
        ("--host-timeout 90000", "Option --host-timeout takes seconds when no unit is given"),
        ("--max-rtt-timeout 50", "Option --max-rtt-timeout takes seconds when no unit is given"),
        ("--scan-delay 100", "Option --scan-delay takes seconds when no unit is given"),
        ("-oX -v", "Option -oX needs the name of a file, and -v looks like an option"),
        ("-st 1", "Option -st is ambiguous: it could be --stats-every, --stylesheet."),
    ],
)
def test_mistakes(line: str, mistake: str | None) -> None:
    found = parse(*line.split()).mistakes
    if mistake is None:
        assert found == ()
    elif mistake.endswith("."):
        assert mistake in found
    else:
        assert found[0].startswith(mistake)


def test_all_mistakes_are_told() -> None:
    assert len(parse("-sC", "--nope", "-T9", "-p1", "-p2", "-oX").mistakes) == 5


def test_values_of_missing_options_are_no_targets() -> None:
    assert parse("-e", "eth0", "--script", "x", "host").options.targets == ("host",)


def test_old_and_unbuilt_beginnings_count_too() -> None:
    assert "ambiguous" in parse("--script-a", "x").mistakes[0]
    assert parse("--ver").mistakes[0].startswith("Option --ver is ambiguous: it could be --verbose, --version")
    assert parse("--version").command == "version"


def test_command_line_is_kept() -> None:
    assert parse("-n", "a b").options.arguments == ("leadline", "-n", "a b")
    assert parse_arguments(["x"], {}, {}, "leadline demo").options.arguments == ("leadline demo", "x")


def test_environment() -> None:
    assert parse("x", NMAP_PRIVILEGED="1").options.privileged is True
    assert parse("x", NMAP_UNPRIVILEGED="1").options.privileged is False
    assert parse("x", NMAP_UNPRIVILEGED="").options.privileged is None
    assert parse("--unprivileged", NMAP_PRIVILEGED="1").options.privileged is False
    assert parse("x", NMAPDIR="/usr/share/nmap").options.nmapdir == "/usr/share/nmap"
    assert parse("x", NMAPDIR="").options.nmapdir is None
    assert "both set" in parse("x", NMAP_PRIVILEGED="1", NMAP_UNPRIVILEGED="1").mistakes[0]


def test_hostile_arguments_are_shown_escaped() -> None:
    assert "\x1b" not in parse("--\x1b[2J").mistakes[0]
    assert len(parse("--" + "x" * 10_000).mistakes[0]) < 200


words = st.one_of(
    st.sampled_from(sorted(BY_NAME)),
    st.sampled_from(sorted(BY_NAME)).flatmap(lambda name: st.text(max_size=4).map(lambda rest: name + rest)),
    st.text(alphabet="-=sPoTpvdn80,", max_size=6),
    st.text(max_size=6),
)


@given(st.lists(words, max_size=6))
def test_any_arguments_are_read_to_the_end(arguments: list[str]) -> None:
    parsed = parse(*arguments)
    assert parsed.options.arguments == ("leadline", *arguments)
    assert all(mistake.strip() for mistake in parsed.mistakes)


@pytest.mark.parametrize("line", ["-oX=a.xml", "-oX a.xml", "-oXa.xml"])
def test_a_pair_of_letters_takes_its_value_as_a_long_option_does(line: str) -> None:
    assert changed(*line.split()) == {"xml": "a.xml"}


def test_repeating_a_level_ends_at_the_highest() -> None:
    assert changed("-" + "v" * 13, "-" + "d" * 3) == {"verbosity": 10, "debugging": 3}
    assert parse("-v11").options.verbosity == 11  # which the check refuses
