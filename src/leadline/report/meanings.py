"""What a port's state means, in one plain sentence (spec sheet 2.8; RFC 792, 9293)."""

from __future__ import annotations

from collections.abc import Mapping

_REFUSALS: Mapping[str, str] = {
    "net-unreach": "there is no way to its network",
    "host-unreach": "there is no way to the host",
    "proto-unreach": "the protocol is not spoken there",
    "port-unreach": "the port is refused",
    "net-prohibited": "its network may not be reached",
    "host-prohibited": "the host may not be reached",
    "admin-prohibited": "a filter forbids it",
    "dest-unreach": "it cannot be reached",
    "param-problem": "the protocol is not spoken there",
    "time-exceeded": "the packet went in circles or too far",
}
_SIMPLE: Mapping[str, str] = {
    "unfiltered": "The probe reached the host and was answered, so no filter drops it; this technique cannot tell "
    "whether something listens.",
    "closed|filtered": "It is not open; whether it is closed or a filter stands before it cannot be told.",
}
_COUNTED: Mapping[str, str] = {
    "open": "Something listens there: it answered the zombie, which had to send one packet more to refuse that.",
    "closed|filtered": "The zombie sent nothing because of it: the port is closed, and its reset was ignored, or a "
    "filter stands before it.",
}
_BOUNCED: Mapping[str, str] = {
    "open": "Something listens there: the FTP server could connect to it.",
    "closed": "The FTP server could not connect to it; whether that was a refusal or a filter, its reply may tell.",
    "filtered": "The FTP server did not come to an end with it in time: a filter seems to drop what it sends there.",
}
_SPOKEN = "The host speaks this protocol: "
_NOT_SPOKEN = "The host was reached and says itself that it does not speak this protocol."
_PROTOCOLS: Mapping[tuple[str, str], str] = {
    ("open", "proto-response"): f"{_SPOKEN}it answered by it.",
    ("open", "port-unreach"): f"{_SPOKEN}it looked for the port that the packet was for, and refused only that.",
    ("open", "param-problem"): f"{_SPOKEN}it read the packet, and did not like what was in it.",
    ("open", "proto-unreach"): f"{_SPOKEN}it refused other protocols by its messages.",
    ("closed", "proto-unreach"): _NOT_SPOKEN,
    ("closed", "param-problem"): _NOT_SPOKEN,
    ("open|filtered", "no-response"): "Nothing came back: a host that speaks a protocol may keep silent to a packet "
    "without content, and so does a filter that drops it; a host that does not speak it would have refused it.",
}


# Of a probe whose checksum was spoiled on purpose (--badsum).
_SPOILED = "with a wrong checksum"


def port_meaning(state: str, reason: str, probe: str, tries: int, others: int | None, *, left: bool = False) -> str:
    """One sentence. ``others``: how many of the host's other ports answered, ``None`` when that cannot be told.

    ``left``: the host stopped answering in the middle of its scan.
    """
    if _SPOILED in probe:
        if reason == "no-response":
            return f"{_nothing(tries)}: who looks at checksums drops such a probe, so this says nothing of the port."
        return "It was answered although its checksum is wrong: by something that does not look, hardly by the host."
    if probe == "bounce":
        return _BOUNCED.get(state, _SIMPLE["closed|filtered"])
    if probe == "idle" or reason in ("ipid-change", "no-ipid-change"):
        return _COUNTED.get(state, _SIMPLE["closed|filtered"])
    if probe.startswith("ip-protocol") and (state, reason) in _PROTOCOLS:
        return _PROTOCOLS[state, reason]
    if state == "open":
        return _open(reason, probe)
    if state == "closed":
        if probe.startswith("window"):
            return "The reset had a window of 0, as systems send it from ports on which nothing listens."
        return "The host was reached and says itself that nothing listens there."
    if probe.startswith("sctp") and reason in ("proto-unreach", "param-problem"):
        return "It was answered that SCTP is not spoken there: the host has none, or a filter says so."
    if state in ("filtered", "open|filtered") and reason != "no-response":
        why = _REFUSALS.get(reason, "it was refused")
        return f"The probe was answered by a refusal instead of by the port: {why}. Something on the way blocks it."
    if left and reason == "no-response":
        return f"{_nothing(tries)}, nor did anything else once the host had left: the port may be in any state."
    if state == "filtered":
        return _silent(tries, others)
    if state == "open|filtered":
        return (
            f"{_nothing(tries)}: an open port keeps silent to this probe, and so does a filter that drops it; "
            "a closed one would have answered."
        )
    if state == "closed|filtered" and probe.startswith("udp"):
        return (
            f"{_nothing(tries)}, and the limits of ICMP errors were not waited for (--defeat-icmp-ratelimit): it may "
            "be closed or filtered, or open and silent to this probe."
        )
    return _SIMPLE.get(state, "What this state means is not known to this version.")


def reset_doubt(ttl: int, usual: int) -> str:
    """What the TTL of a reset says beside that of the SYN/ACKs of the same host (0: not known); empty: nothing."""
    if not ttl or not usual or ttl == usual:
        return ""
    nearer = " nearer to us" if ttl > usual else ""
    return (
        f"But its TTL is {ttl}, and {usual} in the SYN/ACKs of this host: something{nearer} on the way, such as a "
        "firewall, may have sent it in the host's name."
    )


def _open(reason: str, probe: str) -> str:
    if reason == "reset" and probe.startswith("window"):
        return "The reset had a window above 0, which some systems send only from ports on which something listens."
    if reason == "split-handshake-syn":
        return "Something listens there: it answered with a SYN of its own (a split handshake)."
    if reason == "init-ack":
        return "Something listens there: it agreed to begin an association."
    if reason == "syn-ack":
        return "Something listens there: it accepted the connection."
    return "Something listens there: it answered."


def _nothing(tries: int) -> str:
    if not tries:
        return "Nothing came back"
    return "Nothing came back to the one try" if tries == 1 else f"Nothing came back to {tries} tries"


def _silent(tries: int, others: int | None) -> str:
    if others is None:
        return f"{_nothing(tries)}: a filter drops the probe, or its answers, without a word."
    if not others:
        return (
            f"{_nothing(tries)}, nor from any other port of this host: a filter before all of it, or nobody is there."
        )
    ports = "one other port" if others == 1 else f"{others} other ports"
    return f"{_nothing(tries)} while {ports} of the host answered: a filter drops the probe without a word."
