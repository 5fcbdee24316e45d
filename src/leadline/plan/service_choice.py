"""Version detection: ``-sV`` and what goes with it (spec sheet 1.5)."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.data.rule_files import find_rules
from leadline.model.plan import PingKind, ServicePlan, Technique
from leadline.plan.options import Options

DEFAULT_INTENSITY = 7
"""Probes up to this rarity are sent when nothing else was asked for."""


def choose_services(options: Options) -> tuple[ServicePlan, list[str]]:
    """The plan of version detection, and notices about options that have no effect. ``options`` is already checked."""
    rules = find_rules(options.versiondb, options.datadir, options.nmapdir)[1]
    if not options.versions:
        reads = reads_rules(options)
        useless = [name for name in _given(options) if not (reads and name in ("--versiondb", "--datadir"))]
        notices = [f"{name} has no effect without -sV." for name in useless]
        return ServicePlan(rules=rules if reads else ""), notices
    intensity = options.version_intensity
    plan = ServicePlan(
        enabled=True,
        intensity=DEFAULT_INTENSITY if intensity is None else intensity,
        every_port=options.allports,
        wait=options.version_wait,
        patient=options.patient,
        rules=rules,
        trace=options.version_trace,
    )
    notices = ["--datadir has no effect with --versiondb."] if options.versiondb and options.datadir else []
    return plan, notices


def reads_rules(options: Options) -> bool:
    """Whether probes and rules are used: by version detection, or for the payloads of UDP probes."""
    udp = Technique.UDP.value in options.techniques or any(ping.kind == PingKind.UDP.value for ping in options.pings)
    return options.versions or udp


def check_services(options: Options) -> Iterator[str]:
    """One sentence for each mistake."""
    intensity, wait = options.version_intensity, options.version_wait
    if intensity is not None and not 0 <= intensity <= 9:
        yield f"--version-intensity needs a number from 0 to 9, not {intensity}."
    if wait is not None and not 0 < wait < float("inf"):
        yield "--version-wait needs a time above 0."
    if wait is not None and options.patient:
        yield "--version-wait is a time or the word patient, not both."
    for name, value in (("--versiondb", options.versiondb), ("--datadir", options.datadir)):
        if value == "":
            yield f"{name} needs the name of a {'folder' if name == '--datadir' else 'file or a folder'}."
    if options.versions:
        for flag, name in ((options.list_scan, "-sL"), (options.ping_scan, "-sn")):
            if flag:
                yield f"{name} scans no ports, so -sV (which -A asks for too) cannot be used with it."


def _given(options: Options) -> list[str]:
    return [
        name
        for name, given in (
            ("--version-intensity (or -light, -all)", options.version_intensity is not None),
            ("--version-wait", options.version_wait is not None or options.patient),
            ("--version-trace", options.version_trace),
            ("--allports", options.allports),
            ("--versiondb", options.versiondb is not None),
            ("--datadir", options.datadir is not None),
        )
        if given
    ]
