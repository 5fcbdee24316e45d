"""From ``argv`` to the exit status.

The order matters: every mistake that can be known is told before rights are tried, outputs opened or packets sent; what
only prints or refuses imports nothing heavy.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from leadline import __version__
from leadline.cli import exit_codes
from leadline.cli.arguments import Parsed, parse_arguments
from leadline.cli.values import clock_escapes
from leadline.errors import ScanError, UsageError

if TYPE_CHECKING:
    from leadline.engine.control import Control
    from leadline.link.base import Network
    from leadline.link.recorder import RecordedNetwork
    from leadline.model.event import Event
    from leadline.model.plan import Plan
    from leadline.net.base import Resolver
    from leadline.plan.options import Options

_PLACEHOLDER = ("demo",)
# Objects made before the garbage collector looks for cycles: a scan's values have none, and looking takes a tenth of a
# short scan's time.
GARBAGE_GLANCE = 50_000


def run() -> NoReturn:
    """The program and the end of its process.

    When all outputs are closed nothing is left that is worth tidying up: taking the interpreter apart would take longer
    than the scan of a host. Who traces or profiles wants to hear of the end.
    """
    status = entry()
    if sys.gettrace() is not None or sys.getprofile() is not None:
        sys.exit(status)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def entry(arguments: Sequence[str] | None = None) -> int:
    """The program; ``arguments`` default to those of the process. Returns the exit status (``exit_codes``)."""
    _complete_streams()
    _travel_light()
    try:
        return _main(list(sys.argv[1:] if arguments is None else arguments))
    except UsageError as error:
        return _refuse(error.messages)
    except ScanError as error:
        sys.stderr.write(f"leadline: {error}\n")
        return exit_codes.FATAL
    except KeyboardInterrupt:
        return exit_codes.for_signal("SIGINT")
    except BrokenPipeError:
        return exit_codes.FATAL
    except Exception as error:  # noqa: BLE001 - a fault of ours before or after the scan: no wall of text for users
        return _internal_error(error, sys.argv[1:] if arguments is None else arguments)


def _travel_light() -> None:
    """Columns need none of the threads that numpy's linear algebra would start on every processor."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(GARBAGE_GLANCE, *gc.get_threshold()[1:])


def _main(arguments: list[str]) -> int:
    demo = arguments[:1] == ["demo"]
    if not arguments:
        from leadline.cli.help import USAGE

        sys.stderr.write(USAGE)
        return exit_codes.USAGE
    if arguments[0] == "explain":
        from leadline.cli.explain import explain

        status, text = explain(arguments[1:])
        _print(text)
        return status
    moment = time.localtime()
    parsed = parse_arguments(
        arguments[1:] if demo else arguments,
        os.environ,
        clock_escapes(*moment[:6]),
        "leadline demo" if demo else "leadline",
    )
    if parsed.command in ("help", "version"):
        return _tell(parsed.command)
    mistakes = _mistakes(parsed, demo)
    if mistakes:
        return _refuse(mistakes)
    if parsed.command == "interfaces":
        from leadline.cli.iflist import interfaces_and_routes

        _print(interfaces_and_routes())
        return exit_codes.SUCCESS
    if parsed.command == "route":
        return _show_routes(parsed)
    return _demo(parsed) if demo else _scan(parsed.options)


def _complete_streams() -> None:
    """A standard stream that the process was started without (``>&-``) is one into nothing, as daemons do it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - it stays


def _tell(command: str) -> int:
    if command == "version":
        _print(f"Leadline {__version__}\n")
    else:
        from leadline.cli.help import help_text

        _print(help_text())
    return exit_codes.SUCCESS


def _print(text: str) -> None:
    """What is asked for instead of a scan. Raises ``ScanError`` where it cannot be written."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # The interpreter flushes once more when it ends, and must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read has seen enough
            raise
        raise ScanError(f"cannot write to standard output: {error.strerror}") from None


def _refuse(mistakes: Sequence[str]) -> int:
    for mistake in mistakes:
        sys.stderr.write(f"leadline: {_printable(mistake)}\n")
    sys.stderr.write("Nothing was scanned. leadline --help lists the options.\n")
    return exit_codes.USAGE


def _internal_error(error: Exception, arguments: Sequence[str]) -> int:
    from leadline.cli.faults import fault_words

    told = fault_words(error, any(argument.startswith("-d") for argument in arguments))
    sys.stderr.write(f"leadline: {_printable(told)}\n")
    return exit_codes.FATAL


def _printable(text: str) -> str:
    """Arguments are shown back, and may come from anywhere (a list pasted into a script): no control characters."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def _mistakes(parsed: Parsed, demo: bool) -> list[str]:
    from leadline.cli.inputs import input_mistakes, output_mistakes
    from leadline.plan.build import find_mistakes
    from leadline.plan.packet_shape import check_shape

    mistakes = list(parsed.mistakes)
    if parsed.command == "interfaces":
        return mistakes
    options = parsed.options
    if parsed.command == "route":
        return [*mistakes, *check_shape(options)]
    if demo:
        if parsed.speed is not None and parsed.speed <= 0:
            mistakes.append("Option --speed needs a number above 0.")
        if options.proxies:
            mistakes.append("Option --proxies cannot be used with leadline demo: a simulated network has none.")
        if not options.targets:
            options = replace(options, targets=_PLACEHOLDER)
    elif parsed.speed is not None:
        mistakes.append("Option --speed belongs to leadline demo: real time cannot be hurried.")
    return [*mistakes, *find_mistakes(options), *input_mistakes(options), *output_mistakes(options)]


def _show_routes(parsed: Parsed) -> int:
    from leadline.cli.route import routing_decisions
    from leadline.link.kernel import KernelNetwork
    from leadline.model.plan import ResolvePlan
    from leadline.net.resolve import make_resolver
    from leadline.plan.packet_shape import read_shape

    options = parsed.options
    resolver = make_resolver(ResolvePlan("never", options.dns_servers, options.system_dns))
    _print(routing_decisions(parsed.destinations, read_shape(options), KernelNetwork(), resolver))
    return exit_codes.SUCCESS


def _scan(options: Options) -> int:
    from leadline.link.kernel import KernelNetwork
    from leadline.net.resolve import make_resolver

    network = KernelNetwork()
    plan = _plan(options, network)
    # The kernel takes its time over rings when they are made and when they are given up.
    if plan.mostly_raw and plan.privileged is not False:
        network.prepare()
    return _run(plan, options, network, make_resolver(plan.resolve), None)


def _demo(parsed: Parsed) -> int:
    from leadline.cli.demo import demo_options, demo_speed
    from leadline.cli.terminal import is_terminal
    from leadline.sim.demo import DEMO_TARGETS, demo_network

    options = demo_options(parsed.options, tuple(DEMO_TARGETS))
    network, resolver = demo_network(seed=options.seed or 0, epoch=time.time())
    plan = _plan(options, network)
    speed = demo_speed(parsed.speed, plan.output.stdout_text and is_terminal(sys.stdout))
    return _run(plan, options, network, resolver, speed)


def _plan(options: Options, network: Network) -> Plan:
    from leadline.plan.build import build_plan

    privileged = network.can_send_raw() if options.privileged is None else options.privileged
    return build_plan(options, privileged)


def _run(plan: Plan, options: Options, network: Network, resolver: Resolver, speed: float | None) -> int:
    """``speed``: of the simulated clock on the wall, ``None`` for as fast as it goes."""
    from leadline.cli.session import Session
    from leadline.cli.signals import StopSignals
    from leadline.cli.standard_input import StoppableInput
    from leadline.cli.terminal import Terminal, has_colour
    from leadline.engine.control import Control
    from leadline.report.sink import open_sinks

    control = Control()
    control.packet_trace = plan.output.packet_trace
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals(control))
        recorded = None
        if options.record is not None:
            recorded = _recorded(network, _capture_file(options.record, options.append))
            stack.callback(recorded.close)
            network = recorded
        sinks = open_sinks(plan.output, has_colour(sys.stdout, os.environ))
        # Where targets are typed in, every key belongs to the list of targets.
        listed = "-" in (*plan.targets.input_files, *plan.targets.exclude_files)
        terminal = Terminal(control, sinks, plan.output.interactive, os.environ.get("TERM", ""), not listed)
        signals.before_leaving = terminal.restore
        stack.enter_context(terminal)
        if listed:
            stack.enter_context(StoppableInput(control.stopping))
        session = Session(plan, control, sinks, network.clock, terminal, recorded)
        return session.run(_events(plan, network, resolver, control, speed))


def _capture_file(name: str, append: bool) -> BinaryIO:
    """Raises ``UsageError``. Appending is fine: a capture file may have several sections."""
    try:
        return open(name, "ab" if append else "wb")
    except OSError as error:
        raise UsageError(f"--record: cannot write {name!r}: {error.strerror}.") from None


def _recorded(network: Network, file: BinaryIO) -> RecordedNetwork:
    from leadline.link.recorder import RecordedNetwork

    return RecordedNetwork(network, file)


def _events(plan: Plan, network: Network, resolver: Resolver, control: Control, speed: float | None) -> Iterator[Event]:
    from leadline.pipeline import run

    events = run(plan, network, resolver, control)
    if speed is None:
        return events
    from leadline.cli.demo import paced

    return paced(events, speed, control, time.monotonic, time.sleep)
