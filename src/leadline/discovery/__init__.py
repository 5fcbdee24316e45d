"""Host discovery: which targets are up, and why it is believed.

In: a host group and the probes of the plan. Out: for each host up or down with reason, proof, MAC and round trip.
``probes`` turns the plan into probe columns (ARP or ND alone on the local link), ``classify`` says what an answer
means, ``machine`` runs raw probes, ``connect`` ordinary connections where there are no rights for raw ones.
"""
