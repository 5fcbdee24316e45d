"""Ordinary sockets: what a scan does without raw packets, and names.

``connector`` opens very many TCP connections at once (connect scan); ``base`` has the protocol of a resolver and
``resolve`` the real ones. In: addresses, ports, names. Out: plain results; what a remote host does is never an
exception.
"""
