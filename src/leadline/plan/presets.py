"""Timing templates and how single settings change them (spec sheet 2.1)."""

from __future__ import annotations

from dataclasses import replace

from leadline.model.plan import TimingPlan
from leadline.plan.durations import say_duration
from leadline.plan.options import Options
from leadline.plan.sweep_choice import rate_of

TEMPLATE_NAMES = ("paranoid", "sneaky", "polite", "normal", "aggressive", "insane")
"""Names for ``-T``; the index is the template's number."""

# T0 and T1 raise the adaptive maximum along with their fixed delay: were it left at a second, the first boost of the
# delay would lower it (the table's footnote).
TEMPLATES = (
    TimingPlan(
        template=0,
        max_rtt_timeout=300.0,
        initial_rtt_timeout=300.0,
        scan_delay=300.0,
        max_scan_delay_tcp=300.0,
        max_scan_delay_udp=300.0,
        max_parallelism=1,
    ),
    TimingPlan(
        template=1,
        max_rtt_timeout=15.0,
        initial_rtt_timeout=15.0,
        scan_delay=15.0,
        max_scan_delay_tcp=15.0,
        max_scan_delay_udp=15.0,
        max_parallelism=1,
    ),
    TimingPlan(template=2, scan_delay=0.4, max_parallelism=1),
    TimingPlan(template=3),
    TimingPlan(template=4, max_rtt_timeout=1.25, initial_rtt_timeout=0.5, max_retries=6, max_scan_delay_tcp=0.01),
    TimingPlan(
        template=5,
        min_rtt_timeout=0.05,
        max_rtt_timeout=0.3,
        initial_rtt_timeout=0.25,
        max_retries=2,
        max_scan_delay_tcp=0.005,
        host_timeout=900.0,
    ),
)
"""The six templates, T0 to T5."""


def timing_plan(options: Options) -> tuple[TimingPlan, list[str]]:
    """The template with the options' own settings over it, and notices about settings that had to be moved.

    Settings win over the template whatever the order on the command line was. ``options`` is already checked.
    """
    plan = TEMPLATES[3 if options.timing is None else options.timing]
    plan, notices = _round_trips(plan, options)
    plan = _delays(plan, options)
    plan = _parallelism(plan, options)
    plan = replace(
        plan,
        min_hostgroup=_first(options.min_hostgroup, min(plan.min_hostgroup, _first(options.max_hostgroup, 1))),
        max_hostgroup=_first(options.max_hostgroup, plan.max_hostgroup),
        max_retries=_first(options.max_retries, plan.max_retries),
        min_rate=options.min_rate,
        max_rate=rate_of(options),
        defeat_rst_ratelimit=options.defeat_rst_ratelimit,
        defeat_icmp_ratelimit=options.defeat_icmp_ratelimit,
        group_control=not options.no_group_control,
    )
    if options.no_group_control:
        notices.append("Hosts are slowed down one by one only: what their common path loses, they lose (--nogcc).")
    if options.defeat_rst_ratelimit:
        notices.append("Closed ports whose resets come late may be shown as filtered (--defeat-rst-ratelimit).")
    if options.host_timeout is not None:
        plan = replace(plan, host_timeout=options.host_timeout or None)
    return plan, notices


def _first(value: int | None, default: int) -> int:
    return default if value is None else value


def _round_trips(plan: TimingPlan, options: Options) -> tuple[TimingPlan, list[str]]:
    """Each setting pushes the others so that min <= initial <= max holds; the bounds win over the initial value."""
    least, initial, most = plan.min_rtt_timeout, plan.initial_rtt_timeout, plan.max_rtt_timeout
    if options.initial_rtt_timeout is not None:
        initial = options.initial_rtt_timeout
        least, most = min(least, initial), max(most, initial)
    if options.min_rtt_timeout is not None:
        least = options.min_rtt_timeout
        initial, most = max(initial, least), max(most, least)
    if options.max_rtt_timeout is not None:
        most = options.max_rtt_timeout
        least, initial = min(least, most), min(initial, most)
    notices = []
    if options.initial_rtt_timeout not in (None, initial):
        notices.append(f"--initial-rtt-timeout is moved to {say_duration(initial)}, into the limits given for it.")
    return replace(plan, min_rtt_timeout=least, initial_rtt_timeout=initial, max_rtt_timeout=most), notices


def _delays(plan: TimingPlan, options: Options) -> TimingPlan:
    """A fixed delay raises the adaptive maxima to it; a maximum below the template's fixed delay lowers that."""
    delay, tcp, udp = plan.scan_delay, plan.max_scan_delay_tcp, plan.max_scan_delay_udp
    if options.scan_delay is not None:
        delay = options.scan_delay
        tcp, udp = max(tcp, delay), max(udp, delay)
    if options.max_scan_delay is not None:
        tcp = udp = options.max_scan_delay
        delay = min(delay, tcp)
    return replace(plan, scan_delay=delay, max_scan_delay_tcp=tcp, max_scan_delay_udp=udp)


def _parallelism(plan: TimingPlan, options: Options) -> TimingPlan:
    """A minimum that was asked for raises the template's maximum, never one that was asked for (check refuses that)."""
    least = _first(options.min_parallelism, plan.min_parallelism)
    most = plan.max_parallelism if options.max_parallelism is None else options.max_parallelism
    if most is not None:
        most = max(most, least)
    return replace(plan, min_parallelism=least, max_parallelism=most)
