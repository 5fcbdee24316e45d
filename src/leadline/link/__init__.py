"""The only raw sockets: links that send and capture frames, and what the kernel knows of routes and neighbours.

``base`` has the protocols that the simulated network implements too. A link is ``socket_link`` over ``receive_ring``
and ``transmit_ring`` (AF_PACKET memory rings) or over ``rawsock`` (plain sockets, loopback); ``filter`` makes the
kernel's BPF filter. ``kernel_tables`` reads addresses, routes and rules over ``netlink``, ``routes`` looks targets
up in them.
``kernel`` is the real ``Network``, ``recorder`` a network around a network that keeps a pcapng file.
In: frame batches, target columns. Out: frame batches, routes.
"""
