"""The IP protocol scan through a firewall that does everything to a protocol, on the target and on a router.

IPv4: over IPv6 Linux rejects nothing but the usual protocols, whatever the firewall says; there hosts behind a tap do
(``test_every_refusal``).
"""

from __future__ import annotations

from tests.support.compare import assert_same
from tests.support.netns import REJECT_V4, Lab
from tests.support.scan import both

QUICK = ("-n", "-Pn", "-vv", "-T4", "--max-retries", "0", "--min-rtt-timeout", "500ms", "--max-rtt-timeout", "500ms")
FIRST, DROPPED, REFUSED = 150, 99, 98


def test_every_protocol_is_what_nmap_says(lab: Lab) -> None:
    """A protocol for each reject code; one is dropped, and of one the kernel itself says that it does not know it."""
    where, hook = lab.firewall
    rules = [f"meta l4proto {number} {action}" for number, action in enumerate(REJECT_V4.values(), FIRST)]
    where.firewall(hook, f"meta l4proto {DROPPED} drop", *(f"meta nfproto ipv4 {rule}" for rule in rules))
    numbers = f"6,17,{REFUSED},{DROPPED},{FIRST}-{FIRST + len(rules) - 1}"
    peer, ours = both(lab.scanner, *QUICK, "-sO", "-p", numbers, lab.target_v4)
    assert_same(peer.hosts, ours.hosts)
    states = dict.fromkeys(range(FIRST, FIRST + len(rules)), "filtered")
    if lab.router is None:
        states[FIRST + list(REJECT_V4).index("port-unreach")] = "open"
        states[FIRST + list(REJECT_V4).index("proto-unreach")] = "closed"
    found = {number: said.state for (_, number), said in ours.hosts[lab.target_v4].ports.items()}
    assert found == {6: "open", 17: "open", REFUSED: "closed", DROPPED: "open|filtered", **states}
