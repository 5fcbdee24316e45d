"""Why an answer is what it is: which probe and try, which reply, which rule decided."""

from __future__ import annotations

from leadline.model.ip import Address
from leadline.model.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """The proof of one verdict.

    ``probe``: what was sent (``syn``, ``connect``, ``icmp-echo``, ``arp`` ...); ``tries``: how many times it was sent;
    ``answered_try``: which of them (1-based) was answered, 0 when none was; ``reply``: what came back in words
    (``tcp SA``, ``icmp 3/13``, empty for silence); ``responder``: who answered, when known; ``ttl``: of the reply, 0
    when not known; ``rtt``: seconds, ``None`` without a reply; ``at``: seconds since the scan began, of the decision;
    ``rule``: the rule that decided, ``technique: observation -> verdict``.
    """

    probe: str
    tries: int
    answered_try: int = 0
    reply: str = ""
    responder: Address | None = None
    ttl: int = 0
    rtt: float | None = None
    at: float = 0.0
    rule: str = ""
