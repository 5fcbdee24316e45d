"""Port scanning: which TCP ports of the hosts that are up are open, closed or filtered, and why.

In: a host group, the ports of each host, the timing plan. Out: port states with evidence, as columns per group and,
for each finished host, as model values. ``machine`` (SYN) works on frames, ``connect`` on ordinary connections;
``probes`` says what is sent, ``classify`` what an answer means, ``result`` keeps what is known.
"""
