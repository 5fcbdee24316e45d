"""Bytes <-> values, one protocol a file, pure.

Each protocol file keeps one order: field ranges, a checked view of any bytes, a plain value with parse and emit.
``frame`` puts whole packets together, ``batch`` does the same for thousands of frames at once in columns,
``tag`` makes the keyed tag by which replies are known to be ours, ``pcapng`` reads and writes capture files.
Parsers raise ``WireError`` on bad bytes and nothing else.
"""
