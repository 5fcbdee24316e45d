"""Techniques and their flags: the grammar of --scanflags, what contradicts, what the rights allow."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.errors import UsageError
from leadline.model.plan import WITHOUT_RIGHTS, Technique
from leadline.model.tcp_flags import FLAG_VALUES, flag_names
from leadline.plan.options import Options
from leadline.plan.technique_choice import OPTION_OF, check_techniques, choose_technique, in_order, parse_flags

RAW = [technique for technique in OPTION_OF if technique not in WITHOUT_RIGHTS]

cases = st.sampled_from([str.lower, str.upper, str.title])
name = st.builds(lambda case, text: case(text), cases, st.sampled_from(list(FLAG_VALUES)))
separator = st.sampled_from(["", ",", " ", "|", "+", ", "])


@given(st.lists(st.tuples(name, separator), min_size=1, max_size=12))
def test_names_in_any_order_case_and_number(parts: list[tuple[str, str]]) -> None:
    expected = 0
    for word, _ in parts:
        expected |= FLAG_VALUES[word.upper()]
    assert parse_flags("".join(itertools.chain(*parts))) == expected


@given(st.integers(0, 255))
def test_numbers_and_what_reports_call_them(flags: int) -> None:
    assert parse_flags(str(flags)) == flags
    assert parse_flags(hex(flags)) == flags
    assert parse_flags(flag_names(flags)) == flags


@given(st.text(max_size=12))
def test_any_text_is_flags_or_a_clear_mistake(text: str) -> None:
    try:
        assert 0 <= parse_flags(text) <= 255
    except UsageError as error:
        (message,) = error.messages
        assert repr(text) in message


@pytest.mark.parametrize(("text", "flags"), [("SYNFIN", 3), ("URGACKPSHRSTSYNFIN", 0x3F), ("all", 255), ("NONE", 0)])
def test_flags(text: str, flags: int) -> None:
    assert parse_flags(text) == flags


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "256", "-1", "022", "1.5", "2x", "0x100", "0x", "FINFOO", "SFIN", ",SYN", "ECN", "SYN-FIN", "²"],
)
def test_what_is_no_flags(text: str) -> None:
    with pytest.raises(UsageError, match="needs TCP flags by their names"):
        parse_flags(text)


def mistakes(**fields: object) -> list[str]:
    return list(check_techniques(Options(**fields)))  # type: ignore[arg-type]


def test_one_technique_at_a_time() -> None:
    assert mistakes(techniques=("fin",)) == mistakes(techniques=("fin", "fin")) == []
    assert mistakes(techniques=("fin", "null")) == [
        "Only one TCP scan technique can be chosen: -sF or -sN, not both.",
    ]
    assert mistakes(techniques=("syn", "ack", "connect")) == [
        "Only one TCP scan technique can be chosen: -sS, -sA or -sT, not several.",
    ]


def test_names_that_are_no_technique() -> None:
    (unknown,) = mistakes(techniques=("wave",))
    assert "'wave'" in unknown
    assert "xmas" in unknown


@pytest.mark.parametrize(("field", "option"), [("ping_scan", "-sn"), ("list_scan", "-sL")])
def test_scans_without_ports(field: str, option: str) -> None:
    assert mistakes(**{field: True}) == []
    assert mistakes(**{field: True}, techniques=("xmas",)) == [
        f"{option} scans no ports and cannot be combined with a port scan (-sX)."
    ]
    assert mistakes(**{field: True}, scan_flags="SYN", ports="1") == [
        f"{option} scans no ports, so -p and --scanflags cannot be used with it."
    ]


def test_flags_have_no_part_in_connections() -> None:
    (mistake,) = mistakes(techniques=("connect",), scan_flags="SYN")
    assert "-sT" in mistake
    (mistake,) = mistakes(scan_flags="SIN")
    assert mistake.startswith("--scanflags needs TCP flags")
    assert mistakes(scan_flags="FINSYN", techniques=("ack",)) == []


@pytest.mark.parametrize("technique", RAW)
def test_with_the_right_to_raw_packets(technique: Technique) -> None:
    choice = choose_technique(Options(techniques=(technique.value,), scan_flags="PSH"), True)
    assert (choice.techniques, choice.flags, choice.notices, choice.needs_rights) == ((technique,), 8, [], [])


@pytest.mark.parametrize("technique", [one for one in RAW if one is not Technique.SYN])
def test_without_it_there_is_no_substitute(technique: Technique) -> None:
    choice = choose_technique(Options(techniques=(technique.value,)), False)
    (needed,) = choice.needs_rights
    assert needed.startswith(f"{OPTION_OF[technique]} needs the right to send raw packets")
    assert "CAP_NET_RAW" in needed


def test_but_for_a_syn_scan_there_is_unless_its_flags_are_chosen() -> None:
    choice = choose_technique(Options(techniques=("syn",)), False)
    assert (choice.techniques, choice.needs_rights, len(choice.notices)) == ((Technique.CONNECT,), [], 1)
    for options in (Options(scan_flags="FIN"), Options(scan_flags="SYN", techniques=("syn",))):
        (needed,) = choose_technique(options, False).needs_rights
        assert needed.startswith("--scanflags needs the right")


def test_nothing_asked_for() -> None:
    assert choose_technique(Options(), True).techniques == (Technique.SYN,)
    assert choose_technique(Options(), False).techniques == (Technique.CONNECT,)
    assert choose_technique(Options(scan_flags="FIN"), True).techniques == (Technique.SYN,)
    for without in (Options(ping_scan=True), Options(list_scan=True)):
        assert choose_technique(without, False).techniques == ()


def test_techniques_run_in_one_order_whatever_was_typed_first() -> None:
    assert in_order([Technique.IP_PROTOCOL, Technique.UDP, Technique.SYN]) == (
        Technique.SYN,
        Technique.UDP,
        Technique.IP_PROTOCOL,
    )


def test_limits_of_icmp_errors_are_met_by_udp_scans_only() -> None:
    words = "--defeat-icmp-ratelimit is about UDP ports and needs -sU."
    assert words in list(check_techniques(Options(techniques=("syn",), defeat_icmp_ratelimit=True)))
    assert not list(check_techniques(Options(techniques=("syn", "udp"), defeat_icmp_ratelimit=True)))
