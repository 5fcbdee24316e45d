"""Port scanning: which TCP ports of the hosts that are up are open, closed or filtered, and why.

In: a host group, the ports of each host, the timing plan. Out: port states with evidence, as columns per group and,
for each finished host, as model values. ``machine`` works on frames, by any of the ``techniques``, ``connect`` on
ordinary connections; ``probes`` says which ports are asked in which order, ``classify`` what an answer means,
``result`` keeps what is known.
"""
