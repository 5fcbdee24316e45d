"""A simulated network under a virtual clock: the scan's twin of the real world, for tests and the demo.

In: a frozen ``World`` (hosts, routers, subnets, firewalls, faults, liars) and a seed.
Out: ``SimNetwork``, a ``link.base.Network`` whose links, connector and dialer behave like the kernel's: frames sent
are decoded, routed, filtered, delayed, lost and answered in columns, dialogues are held with scripted services; time
moves only in ``wait`` and ``poll`` (and a little with each frame sent). The same seed and the same calls give the same
answers, byte for byte.
Only ``cli``, ``pipeline`` and tests import this package. Guide: docs/guide/simulated-network.md.
"""
