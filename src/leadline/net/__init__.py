"""Ordinary sockets: what a scan does without raw packets, and names.

``connector`` opens very many TCP connections at once (connect scan), ``proxy_connector`` does so through proxies.
``dialer`` carries on dialogues: ``stream`` and ``datagrams`` are one of them each; ``tls``, ``certificate`` and
``proxy`` are what is spoken below them, as layers over bytes. ``base`` has the protocols of a dialer and a resolver,
``resolve`` the real resolvers. In: addresses, ports, names, bytes. Out: plain results; what a remote host does is
never an exception.
"""
