"""What options do, beyond what the reader of the command line is tested for."""

from leadline.cli.options import BY_NAME
from leadline.cli.settings import Settings
from leadline.plan.options import Options, PingRequest


def settings(*pairs: tuple[str, str]) -> Settings:
    made = Settings({"Y": "2026"})
    for name, value in pairs:
        made.apply(BY_NAME[name], name, value)
    return made


def test_nothing() -> None:
    made = settings()
    assert made.options() == Options()
    assert made.mistakes == []
    assert made.speed() is None
    assert made.command == "scan"


def test_defaults_do_not_override() -> None:
    made = settings(("--privileged", ""))
    made.set_default("privileged", False)
    made.set_default("family", 4)
    assert made.options().privileged is True
    assert made.options().family == 4


def test_last_value_counts_where_repeating_is_no_mistake() -> None:
    made = settings(("-T", "4"), ("-T", "polite"), ("--max-rate", "5"), ("--max-rate", "7"))
    assert made.options().timing == 2
    assert made.options().max_rate == 7.0
    assert made.mistakes == []


def test_repeating_a_flag_is_no_mistake() -> None:
    assert settings(("-4", ""), ("-4", ""), ("-F", ""), ("-n", ""), ("-n", "")).mistakes == []


def test_repeating_a_value_is() -> None:
    assert settings(("-p", "1"), ("-p", "2")).mistakes == ["Option -p is given twice."]
    assert settings(("-PS", ""), ("-PS", "80")).mistakes == ["Option -PS is given twice."]
    assert settings(("-PB", ""), ("-PB", "")).mistakes == ["Option -PB is given twice."]


def test_contradicting_flags() -> None:
    for pair in ("-4 -6", "-n -R", "--privileged --unprivileged", "--webxml --no-stylesheet"):
        first, second = pair.split()
        mistakes = settings((first, ""), (second, "")).mistakes
        assert mistakes == [f"Options {first} and {second} cannot be used together."]


def test_output_base() -> None:
    options = settings(("-oA", "scan-%Y")).options()
    assert (options.normal, options.xml, options.grepable) == ("scan-2026.nmap", "scan-2026.xml", "scan-2026.gnmap")
    assert options.json is None
    assert settings(("-oA", "-")).mistakes == ["Option -oA writes three files and cannot write to standard output."]
    assert settings(("-oX", "a"), ("-oA", "b")).mistakes == ["Options -oX and -oA cannot be used together."]


def test_levels() -> None:
    def levels(*pairs: tuple[str, str]) -> tuple[int, int, bool]:
        options = settings(*pairs).options()
        return options.verbosity, options.debugging, options.quiet

    assert levels(("-v", ""), ("-v", "")) == (2, 0, False)
    assert levels(("-v", "3"), ("-v", "")) == (4, 0, False)
    assert levels(("-d", "")) == (1, 1, False)
    assert levels(("-v", ""), ("-d", "2")) == (2, 2, False)
    assert levels(("-v", "0")) == (0, 0, True)
    assert levels(("-v", "0"), ("-v", "")) == (1, 0, False)
    assert levels(("-d", "0")) == (0, 0, False)


def test_default_pings_with_other_ack_ports() -> None:
    assert settings(("-PB", "22")).options().pings == (
        PingRequest("icmp-echo"),
        PingRequest("tcp-syn", "443"),
        PingRequest("tcp-ack", "22"),
        PingRequest("icmp-timestamp"),
    )


def test_help_wins() -> None:
    assert settings(("--iflist", ""), ("-V", "")).command == "version"
    assert settings(("-h", ""), ("-V", "")).command == "help"


def test_options_without_effect_are_remarked() -> None:
    made = settings(("-PR", ""), ("--log-errors", ""))
    assert made.mistakes == []
    assert made.options().notices == (
        "Option -PR has no effect (ARP is used on the local link without it).",
        "Option --log-errors has no effect.",
    )


def test_options_that_are_more_or_less_than_they_seem_say_so() -> None:
    made = settings(("-A", ""), ("-A", ""))
    assert made.options().versions
    (notice,) = made.options().notices
    assert "OS detection, scripts, traceroute" in notice
    made = settings(("-sR", ""))
    assert made.options().versions
    assert "-sV" in made.options().notices[0]
    assert settings(("-sV", "")).options().notices == ()


def test_speed_is_no_option_of_a_scan() -> None:
    made = settings(("--speed", "10"))
    assert made.speed() == 10.0
    assert made.options() == Options()


def test_empty_file_names() -> None:
    assert settings(("-iL", "")).mistakes == ["Option -iL needs the name of a file."]
    assert settings(("-oN", "")).mistakes == ["Option -oN needs the name of a file."]
