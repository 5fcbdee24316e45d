"""Mistakes in what the command line names, found before any packet: grammar of targets, files missing or barred."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import ip_network

from leadline.data.rule_files import find_rules, rules_mistakes
from leadline.errors import UsageError
from leadline.plan.options import Options
from leadline.plan.service_choice import reads_rules

_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", re.ASCII)
_LONGEST_NAME = 63


def input_mistakes(options: Options) -> list[str]:
    """One sentence each: targets and exclusions that are no expressions, input files that cannot be read,
    rules of version detection that are not there.
    """
    return [
        *_target_mistakes(options.targets),
        *_target_mistakes(options.exclude),
        *_reach_mistakes(options),
        *_file_mistakes("-iL", options.input_files),
        *_file_mistakes("--excludefile", options.exclude_files),
        *(
            rules_mistakes(*find_rules(options.versiondb, options.datadir, options.nmapdir))
            if reads_rules(options)
            else ()
        ),
    ]


def _target_mistakes(texts: tuple[str, ...]) -> Iterator[str]:
    doubtful = [text for text in texts if not _surely_fine(text)]
    if not doubtful:
        return
    # Only now, because it loads numpy: a mistake elsewhere on the command line shall be told at once.
    from leadline.data.port_spec import parse_ports
    from leadline.model.port import Protocol
    from leadline.targets.spec import parse_target

    for text in doubtful:
        try:
            parse_target(text, lambda ports: parse_ports(ports, (Protocol.TCP,)))
        except UsageError as error:
            yield from error.messages


def _reach_mistakes(options: Options) -> Iterator[str]:
    """Targets that are about the whole Internet, and no list of those who must not be scanned."""
    if options.list_scan or options.exclude_files:
        return
    counts = [_count(text) for text in options.targets]
    if sum(counts) < 1 << 29:
        return
    from leadline.targets.extent import internet_mistake

    mistake = internet_mistake(counts, ())
    if mistake:
        yield mistake


def _count(text: str) -> int:
    """IPv4 addresses that an expression means; 0 for names, IPv6 and what is no expression."""
    if not text[:1].isdigit() and text[:1] not in "*-":
        return 0
    try:
        network = ip_network(text, strict=False)
        return network.num_addresses if network.version == 4 else 0
    except ValueError:
        pass
    if not any(sign in text for sign in "*-/"):
        return 1
    from leadline.model.port_set import PortSet
    from leadline.targets.spec import Named, parse_target

    try:
        shape = parse_target(text, lambda ports: PortSet({})).shape
    except UsageError:
        return 0
    return 0 if isinstance(shape, Named) or shape.family != 4 else shape.count


def _surely_fine(text: str) -> bool:
    """A short host name, an address or a network: no need to look closer."""
    if _NAME.fullmatch(text):
        return len(text) <= _LONGEST_NAME
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return text.isascii() and "%" not in text and text.count("/") < 2 and not text.partition("/")[2].count(".")


def _file_mistakes(option: str, names: tuple[str, ...]) -> Iterator[str]:
    """Not opened for a look: a named pipe (``-iL <(command)``) can be opened once only."""
    for name in names:
        if name == "-":
            continue
        if not os.path.exists(name):
            yield f"{option}: there is no file {name!r}."
        elif os.path.isdir(name):
            yield f"{option}: {name!r} is a directory."
        elif not os.access(name, os.R_OK):
            yield f"{option}: the file {name!r} cannot be read (permission denied)."


def output_mistakes(options: Options) -> list[str]:
    """One sentence each: files that could not be written, or whose writing would destroy a list that is read.

    Looked at before any is opened: opening for writing empties a file, and a mistake elsewhere must not cost the
    results of the last scan.
    """
    named = (
        ("-oN", options.normal),
        ("-oX", options.xml),
        ("-oG", options.grepable),
        ("-oJ", options.json),
        ("--record", options.record),
    )
    wanted = [(option, name) for option, name in named if name and name != "-"]
    lists = [name for name in (*options.input_files, *options.exclude_files) if name != "-"]
    mistakes = [text for option, name in wanted if (text := _obstacle(option, name))]
    mistakes.extend(
        f"{option}: {name!r} is also read as a list of targets."
        for option, name in wanted
        if os.path.isfile(name) and any(os.path.realpath(name) == os.path.realpath(one) for one in lists)
    )
    return mistakes


def _obstacle(option: str, name: str) -> str:
    folder = os.path.dirname(name) or "."
    if os.path.isdir(name):
        return f"{option}: {name!r} is a directory."
    if os.path.exists(name):
        return "" if os.access(name, os.W_OK) else f"{option}: the file {name!r} cannot be written (permission denied)."
    if not os.path.isdir(folder):
        return f"{option}: there is no directory {folder!r}."
    return "" if os.access(folder, os.W_OK) else f"{option}: no file can be made in {folder!r} (permission denied)."
