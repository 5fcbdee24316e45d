"""From the end of a dialogue to the ``Service`` that reports show, with its evidence."""

from __future__ import annotations

from leadline.model.service import Service, ServiceEvidence, TlsFacts
from leadline.services.dialogue import Dialogue, Verdict
from leadline.services.expansion import FIELDS
from leadline.services.fingerprint import FingerprintFacts, fingerprint

# Spec sheet 3.2: what a rule says is certain, what merely closes the door less so, a port number means little.
MATCHED, WRAPPED, TABLE = 10, 8, 3
# From this intensity on the answers of what was not recognised are told.
TELLING_INTENSITY = 7


def service_of(
    dialogue: Dialogue, table_name: str, facts: FingerprintFacts, epoch: float, now: float,
    start_tls: TlsFacts | None = None,
) -> Service:  # fmt: skip
    """``table_name``: what the port number means; ``epoch``: clock seconds at which the scan began;
    ``start_tls``: what a STARTTLS handshake with it told.
    """
    verdict = dialogue.verdict
    if verdict is None:
        raise ValueError("the dialogue is not finished")
    evidence = ServiceEvidence(
        exchanges=tuple(run.exchange(epoch, now) for run in dialogue.history),
        rule=verdict.match.rule.place if verdict.match is not None else "",
        reason=verdict.reason,
    )
    tls = verdict.tls or start_tls
    text = ""
    if verdict.kind != "match" and facts.intensity >= TELLING_INTENSITY:
        subject = dialogue.subject
        text = fingerprint(subject.port, subject.protocol.label, verdict.tunnel, dialogue.runs, facts)
    if verdict.match is not None:
        return _recognised(verdict, evidence, tls, text)
    if verdict.kind == "tcpwrapped":
        return Service("tcpwrapped", "probed", WRAPPED, tunnel=verdict.tunnel, tls=tls, evidence=evidence)
    name = table_name or "unknown"
    return Service(name, "table", TABLE, tunnel=verdict.tunnel, tls=tls, evidence=evidence, fingerprint=text)


def _recognised(verdict: Verdict, evidence: ServiceEvidence, tls: TlsFacts | None, text: str) -> Service:
    match = verdict.match
    assert match is not None
    return Service(
        name=match.service,
        method="probed",
        confidence=MATCHED,
        tunnel=verdict.tunnel,
        fingerprint=text,
        tls=tls,
        evidence=evidence,
        **{name: getattr(match, name) for name in FIELDS},
    )
