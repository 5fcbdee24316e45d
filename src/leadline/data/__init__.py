"""Our own packaged tables and what reads them: port names, port ranking, MAC vendors, the ``-p`` grammar.

In: the files of ``tables/`` (each begins with where it comes from), or text of the same grammar.
Out: plain lookups. Nothing is read before the first lookup, and reading takes milliseconds.
"""
