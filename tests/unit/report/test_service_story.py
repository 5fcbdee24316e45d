"""The dialogue as a story."""

from leadline.report.fields import Fields
from leadline.report.service_story import MOST_EXCHANGES, service_story, service_words, when
from leadline.report.service_text import escaped

EXCHANGE: Fields = {
    "probe": "GetRequest",
    "sent": "GET /\r\n",
    "received": "\x1b[2J" + "x" * 100,
    "total": 900,
    "at": 1.5,
    "seconds": 0.02,
    "outcome": "match",
    "tunnel": "ssl",
}
CERTIFICATE = {"names": ["a.example"], "self_signed": True, "not_before": 0, "not_after": 1e9}
SERVICE: Fields = {
    "name": "http",
    "method": "probed",
    "tunnel": "ssl",
    "product": "nginx",
    "confidence": 10,
    "tls": {"version": "TLSv1.3", "cipher": "X", "via": "smtp", "certificate": CERTIFICATE},
    "evidence": {"exchanges": [EXCHANGE], "rule": "a:1", "reason": "recognised"},
}


def test_story() -> None:
    told = "\n".join(service_story(SERVICE, 8, 2e9))
    for part in (
        "     1.500s  GetRequest: 7 bytes sent through TLS, 900 bytes received in 0.020s: match",
        "  sent: GET /\\r\\n",
        "  received: \\x1b[2Jxxxx ...",
        "TLS: TLSv1.3 X after smtp STARTTLS",
        "certificate for a.example; self-signed; expired on 2001-09-09",
        "decided by rule a:1: recognised",
        "so it is ssl/http, nginx (confidence 10 of 10)",
    ):
        assert part in told


def test_without_dialogue() -> None:
    assert list(service_story({}, 8, 0.0)) == []
    assert "nobody asked it" in next(service_story({"name": "ssh", "method": "table"}, 8, 0.0))
    assert list(service_story({"name": "ssh"}, 8, 0.0)) == []
    assert "no rule decided" in next(service_story({"evidence": {"reason": "silence"}}, 8, 0.0))
    assert service_words({"name": "x", "extrainfo": "only"}) == "x, only"


def test_bounds() -> None:
    many = dict(SERVICE) | {"evidence": {"exchanges": [EXCHANGE] * 1000}}
    assert len(list(service_story(many, 8, 0.0))) < MOST_EXCHANGES * 4
    assert "only listened, nothing received: " in next(service_story({"evidence": {"exchanges": [{}]}}, 8, 0.0))
    assert escaped("a\n", 5) == "a\\n"
    assert when(None).strip() == "-"
