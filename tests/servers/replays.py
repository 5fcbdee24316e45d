"""``scripts/peers --replays``: every recorded TCP answer served again, scanned by Nmap and by us with Nmap's rules.

A port says what a real server once said: a banner at once, anything else when it is spoken to, whatever is said.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.data.service_rules import NULL
from tests.servers.explained import Setting, replay_explanation
from tests.servers.recipe import end_all, make_certificate
from tests.support.compare import compress
from tests.support.netns import ROOT, Lab, on_link_lab
from tests.support.scan import LEADLINE, NMAP, Run, scan
from tests.support.services import Seen, service_differences, services

RECORDED = ROOT / "tests" / "recorded"
SERVER = Path(__file__).with_name("answering.py")
# Ports that neither scanner's rules list for anything, as far as can be: the answers alone shall decide.
FIRST_PORT = 20_101
AT_LEAST = 300
LONGEST = 3600.0


@dataclass(frozen=True, slots=True)
class Record:
    """One recorded answer and what our rules must make of it."""

    place: str
    probe: str
    tls: bool
    answer: str
    service: str
    product: str


def tcp_records(folder: Path = RECORDED) -> list[Record]:
    """All answers over TCP, equal ones once. Answers to our TLS hellos are no answers of a service: left out."""
    found: dict[tuple[bool, bool, str], Record] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            line = json.loads(text)
            if line["protocol"] != "tcp" or not line["answer"]:
                continue
            tls = line["tunnel"] == "ssl"
            record = Record(
                f"{path.name}:{number}", line["probe"], tls, line["answer"], line["service"], line["product"]
            )
            found.setdefault((record.probe == NULL, tls, record.answer), record)
    return list(found.values())


@contextlib.contextmanager
def answering(records: Sequence[Record]) -> Iterator[tuple[Lab, dict[int, Record]]]:
    """Each answer on a port of its own, of the lab's target, while the block runs."""
    ports = {FIRST_PORT + index: record for index, record in enumerate(records)}
    lines = [json.dumps([port, each.probe == NULL, each.tls, each.answer]) for port, each in ports.items()]
    with on_link_lab() as lab, tempfile.TemporaryDirectory(prefix="leadline-replays-") as folder:
        certificate, key = make_certificate(Path(folder))
        server = subprocess.Popen(
            lab.target.command(sys.executable, "-P", str(SERVER), str(certificate), str(key)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write("\n".join(lines) + "\n")
            server.stdin.close()
            if server.stdout.readline().strip() != "ready":
                raise RuntimeError("the server of recorded answers did not start")
            yield lab, ports
        finally:
            end_all(lab.target, [])
            server.wait()
            server.stdout.close()


def scan_answers(lab: Lab, program: Sequence[str], ports: Sequence[int], *arguments: str) -> Run:
    """A hundred services at once, so that Nmap's waits cost the run minutes and not hours."""
    listed = ",".join(compress(sorted(ports)))
    words = ("-n", "-Pn", "-sV", "--min-parallelism", "100", "-p", f"T:{listed}", *arguments)
    return scan(lab.scanner, program, *words, lab.target_v4, timeout=LONGEST)


def replay(data: Path) -> bool:
    """Compare and print; whether every field is equal or explained. ``data``: an installed Nmap's data folder."""
    records = tcp_records()
    with answering(records) as (lab, ports), Setting(data) as bare:
        peer = scan_answers(lab, NMAP, list(ports), "--datadir", str(bare))
        ours = scan_answers(lab, LEADLINE, list(ports), "--datadir", str(data))
    theirs, mine = services(peer.xml), services(ours.xml)
    print(f"recorded answers: {len(records)} (at least {AT_LEAST}), {_kinds(theirs.values())}")
    unexplained = 0
    for difference in service_differences(theirs, mine):
        record = ports[difference.place[2]]
        reason = replay_explanation(record.place, difference.field)
        unexplained += not reason
        print(f"  {record.place} ({record.probe}) {difference}: {reason or 'UNEXPLAINED'}")
    print(f"unexplained differences: {unexplained}")
    print(f"nmap: {peer.seconds:.1f} s, leadline with nmap's rules: {ours.seconds:.1f} s")
    return not unexplained and len(records) >= AT_LEAST and bool(theirs)


def _kinds(seen: Iterator[Seen] | Sequence[Seen]) -> str:
    count = Counter("with a product" if each.product else "with a service" if each.name else "unknown" for each in seen)
    return "nmap's verdicts: " + ", ".join(f"{number} {kind}" for kind, number in count.most_common())
