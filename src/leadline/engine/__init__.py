"""What runs a stage: columns of timing, a ledger of outstanding probes, and the loop over a link.

In: how many probes each host of a group needs, the timing plan, answers as columns, the time as an argument.
Out: which probes to send now, which hosts are finished, and a record of every timing decision.
``prober`` decides (pure); ``driver`` runs a machine over a ``Link``. The time comes from the network (``link.base``).
"""
