"""The only raw sockets: links that send and capture frames, and what the kernel knows of routes and neighbours.

``base`` has the protocols that the simulated network implements too; ``ring`` the AF_PACKET ring, ``rawsock`` the plain
fallback, ``filter`` the kernel BPF filter, ``routes``/``neighbors`` the kernel's tables, ``recorder`` a link around a link
that keeps a pcapng file, ``kernel`` the real ``Network``.
"""
