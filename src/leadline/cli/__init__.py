"""The command line: the only package that talks to a person.

In: ``argv``, environment, signals and keys. Out: an exit status, the reports on standard output and in files, mistakes
on standard error. ``options`` is the table of all options, ``arguments`` reads ``argv`` by it, ``help`` shows it,
``main`` is the way from start to exit status, ``session`` runs one scan, ``live`` is the terminal while it runs.
What only prints or refuses (``-V``, ``--help``, mistakes) loads nothing heavy: imports stand inside functions here.
"""
