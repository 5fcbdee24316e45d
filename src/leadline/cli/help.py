"""The texts of ``--help`` and of a call without arguments, made from the option table: only what is built is shown."""

from __future__ import annotations

from leadline.cli.options import GROUPS, Option

_LEFT = 29
_INTRODUCTION = """\
Leadline, a network scanner that explains every answer it gives.

Usage: leadline [options] TARGET...
       leadline demo [options] [TARGET...]     scan a simulated network, no packet leaves this machine
       leadline explain FILE.json HOST[:PORT]  why a port is what it is, from a file of -oJ (leadline explain --help)

TARGET is a host name, an address, a network or a range: example.org, 10.0.0.0/24, 10.0-3.1.1,5, 2001:db8::/120.
A target may have ports of its own: 10.0.0.5:80,443 or [2001:db8::1]:22.
Options and targets may be mixed; one dash is enough for long options, and so is an unambiguous beginning.
"""
_END = """\
While it runs: v/V d/D p/P more or less of verbosity, debugging, packets; ? the keys; any other key: how far it is.
Exit status: 0 done, 1 failed, 2 a mistake on the command line, 130 (143, 129) cut short by SIGINT (SIGTERM, SIGHUP).
Nmap's options that are not built yet are refused by name. The variables NMAP_PRIVILEGED and NMAP_UNPRIVILEGED mean
--privileged and --unprivileged, NMAPDIR means --datadir. To scan a host named demo, write: leadline -- demo
"""

USAGE = """\
Usage: leadline [options] TARGET...     (leadline --help lists the options, leadline demo shows a simulated scan)
"""
"""For a call without arguments."""


def help_text() -> str:
    """All of ``--help``, lines of at most 120 characters."""
    groups = []
    for title, options in GROUPS:
        lines = "".join(_line(option) for option in options)
        groups.append(f"{title}:\n{lines}")
    return "\n".join([_INTRODUCTION, *groups, _END])


def _line(option: Option) -> str:
    joint = "" if option.argument.startswith("[") else " "
    names = ", ".join(name for name in option.names if name not in _OLD)
    left = f"  {names}{joint}{option.argument}".rstrip()
    return f"{left:<{_LEFT}} {option.help}\n"


_OLD = frozenset({"-sP", "-P0", "-PN", "-PD", "-PI", "-P", "-oM", "-m", "--rH"})
"""Old spellings: understood, not taught."""
