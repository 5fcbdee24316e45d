"""Benches: each measures a ratio against a peer, or against a limit, in one run, on networks that it makes itself.

Run by ``scripts/bench``. Nothing here is a test: results are read by people, on a machine that does nothing else.
"""
