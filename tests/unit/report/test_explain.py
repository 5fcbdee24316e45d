"""Stories from what a file says, also from nonsense."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.report.explain import MOST_LISTED, host_story, port_story, what_is_there
from leadline.report.recording import Recording

PORT = {"number": 22, "protocol": "tcp", "state": "filtered", "reason": "no-response"}
PROOF = {"probe": "syn", "tries": 3, "at": 2.0, "rule": "r", "reply": "", "rtt": None}
SUMMARY = {"protocol": "tcp", "state": "closed", "reason": "reset", "ranges": [[1, 21]], "count": 21}
HOST: dict[str, object] = {"address": "10.0.0.1", "status": "up", "latency": 0.01, "timeout": 0.1}


def recording(host: Mapping[str, object], *events: Mapping[str, object]) -> Recording:
    made = Recording("10.0.0.1")
    for event in (*events, {"event": "host_done", "host": dict(host)}):
        made.feed(json.dumps(event, separators=(",", ":")))
    return made


def test_silence_among_answers() -> None:
    story = port_story(recording(HOST | {"ports": [PORT | {"evidence": PROOF}], "summaries": [SUMMARY]}), 22, "tcp")
    assert story is not None
    assert "     2.000s  filtered: SYN sent 3 times; no answer" in story
    assert any("3 tries while 21 other ports of the host answered" in line for line in story)


def test_silence_of_a_host_that_left() -> None:
    silent = SUMMARY | {"state": "filtered", "reason": "no-response", "ranges": [[100, 120]]}
    left = recording(
        HOST | {"ports": [PORT | {"evidence": PROOF}], "summaries": [SUMMARY, silent], "silent_since": 1.5}
    )
    for number in (22, 101):
        assert any("the port may be in any state" in line for line in port_story(left, number, "tcp") or ())
    assert not any("in any state" in line for line in port_story(left, 7, "tcp") or ())


def test_a_port_of_many() -> None:
    made = recording(HOST | {"summaries": [SUMMARY]})
    assert any("one of 21 closed ports: reset" in line for line in port_story(made, 7, "") or ())
    assert port_story(made, 7, "udp") is None
    assert port_story(made, 22, "") is None
    assert "Nothing is said of port 22 of 10.0.0.1." in what_is_there(made, "22")
    assert any("21 closed tcp ports: reset (1-21)" in line for line in what_is_there(made, "22"))


def test_host_with_many_ports() -> None:
    made = recording(HOST | {"ports": [PORT | {"number": number} for number in range(500)]})
    lines = host_story(made, "f")
    assert f"  ({500 - MOST_LISTED} ports more)" in lines
    assert any("leadline explain f 10.0.0.1:0" in line for line in lines)


def test_what_cut_it() -> None:
    ended = {"event": "scan_ended", "at": 3.0, "exit": "interrupted", "message": "interrupted by SIGINT"}
    made = recording(HOST | {"interrupted": "SYN Stealth Scan"}, ended)
    assert any("cut during SYN Stealth Scan: interrupted by SIGINT" in line for line in host_story(made, "f"))
    assert "It may be missing because this host was cut" in "\n".join(what_is_there(made, "9"))
    timed = recording(HOST | {"timed_out": True, "interrupted": "x"})
    given_up = recording(HOST | {"gave_up": True, "interrupted": "SYN Stealth Scan"})
    assert any("given up (--max-open-ports) during SYN Stealth Scan" in line for line in host_story(given_up, "f"))
    assert any("--host-timeout) during x" in line for line in host_story(timed, "f"))


def test_before_the_host_is_done() -> None:
    made = Recording("10.0.0.1")
    made.feed('{"event":"host_found","at":1.0,"address":"10.0.0.1","reason":"echo-reply"}')
    made.feed(json.dumps({"event": "port_found", "address": "10.0.0.1", "port": PORT}, separators=(",", ":")))
    lines = host_story(made, "f")
    assert "     1.000s  up: echo-reply" in lines
    assert any("the file ends before this host was done" in line for line in lines)
    assert port_story(made, 22, "tcp")


def test_the_pace() -> None:
    decision = {"event": "timing_decision", "at": 1.0, "address": None, "what": "cwnd", "cause": "loss", "old": 8}
    lines = host_story(recording(HOST, decision | {"new": 4}, decision | {"at": 2.0, "new": 2}), "f")
    assert "     1.000s  the group: cwnd 8 -> 2 in 2 steps until 2.000s: loss" in lines
    assert any("without -d" in line for line in host_story(recording(HOST), "f"))


def test_what_came_from_the_network_is_escaped() -> None:
    evil = "\x1b]0;x\x07\u202e"
    proof = dict.fromkeys(("probe", "reply", "responder", "rule"), evil)
    port = PORT | {"state": evil, "reason": evil, "protocol": evil, "service": {"name": evil}, "evidence": proof}
    names = [{"name": evil, "kind": "PTR"}]
    event = {"event": "notice", "level": "error", "text": evil}
    made = recording(HOST | {"ports": [port], "hostnames": names, "evidence": proof, "status": evil}, event)
    for lines in (host_story(made, evil), port_story(made, 22, ""), what_is_there(made, evil)):
        assert lines is not None
        assert all(line.isprintable() for line in lines)


KEYS = st.sampled_from(
    [
        "address",
        "hostnames",
        "name",
        "ports",
        "summaries",
        "evidence",
        "service",
        "exchanges",
        "tls",
        "certificate",
        "number",
        "ranges",
        "at",
        "ttl",
        "tries",
        "rtt",
        "latency",
        "sent",
        "received",
        "total",
        "names",
        "not_after",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(22),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, VALUES, max_size=8), VALUES)
def test_nonsense_never_raises(host: dict[str, object], ports: object) -> None:
    ported = host | {"address": "10.0.0.1", "ports": [{"number": 22, "service": ports, "evidence": host}, ports]}
    made = recording(ported, {"event": "scan_started", "started": ports}, {"event": "timing_decision", "at": ports})
    for lines in (host_story(made, "f"), port_story(made, 22, ""), what_is_there(made, "9")):
        assert lines is not None
        assert all(line.isprintable() for line in lines)


def test_remarks_about_the_host() -> None:
    made = recording(HOST | {"remarks": ["it answers on every port", 7, "\x1b[2J"]})
    lines = [line.strip() for line in host_story(made, "f")]
    assert "note: it answers on every port" in lines
    assert "note: 7" in lines
    assert not any("\x1b" in line for line in lines)
    assert not any("note:" in line for line in host_story(recording(HOST | {"remarks": "no list"}), "f"))


def test_a_reset_with_another_time_to_live_than_the_open_ports() -> None:
    answered = {"number": 80, "protocol": "tcp", "state": "open", "reason": "syn-ack", "evidence": {"ttl": 63}}
    reset = {"number": 81, "protocol": "tcp", "state": "closed", "reason": "reset"}
    for ttl, doubted in ((64, True), (63, False)):
        story = port_story(recording(HOST | {"ports": [answered, reset | {"evidence": {"ttl": ttl}}]}), 81, "tcp")
        assert any("may have sent it in the host's name" in line for line in story or ()) is doubted
    alone = port_story(recording(HOST | {"ports": [reset | {"evidence": {"ttl": 64}}]}), 81, "tcp")
    assert not any("in the host's name" in line for line in alone or ())


def test_protocols_are_no_ports() -> None:
    service = {"name": "gre", "method": "table"}
    proof = {"probe": "ip-protocol", "tries": 1, "at": 2.0, "rule": "r", "reply": "proto-response", "answered_try": 1}
    spoken = {"number": 47, "protocol": "ip", "state": "open", "reason": "proto-response"}
    refused = {"protocol": "ip", "state": "closed", "reason": "proto-unreach", "ranges": [[48, 88]], "count": 41}
    made = recording(HOST | {"ports": [spoken | {"evidence": proof, "service": service}], "summaries": [refused]})
    story = port_story(made, 47, "ip")
    assert story is not None
    assert "IP protocol 47 (gre): open (proto-response)" in story
    assert "The service" not in story
    assert any("it answered by it" in line for line in story)
    others = port_story(made, 50, "")
    assert others is not None
    assert "IP protocol 50: closed (proto-unreach)" in others
    assert any("one of 41 closed protocols" in line for line in others)
    assert any("does not speak this protocol" in line for line in others)
    assert any("41 closed IP protocols: proto-unreach (48-88)" in line for line in host_story(made, "f"))


def test_nobody_can_be_sent_to_ask_an_sctp_port() -> None:
    listening = {"number": 2905, "protocol": "sctp", "state": "open", "reason": "init-ack", "service": {"name": "m3ua"}}
    story = port_story(recording(HOST | {"ports": [listening]}), 2905, "sctp")
    assert story is not None
    assert "Port 2905/sctp: open (init-ack)" in story
    assert not any("-sV" in line for line in story)


@pytest.mark.parametrize(("cut", "words"), [("", "filtered (no response)"), ("SYN Stealth Scan", "interrupted")])
def test_a_silent_host_of_a_sweep_is_one_of_those_that_are_counted(cut: str, words: str) -> None:
    told = {"event": "hosts_silent", "at": 1.0, "count": 1200, "state": "filtered", "interrupted": cut}
    made = Recording("10.0.0.77")
    for _ in range(2):
        made.feed(json.dumps(told, separators=(",", ":")))
    lines = what_is_there(made, "10.0.0.77")
    assert "2,400 more were swept and answered nothing, so they are only counted." in lines
    assert any(words in line for line in lines)
