"""What runs behind the open ports: dialogues with services, and the rules that recognise their answers.

In: hosts with open ports, probes and rules (``data.service_probes``), a dialer. Out: each port's ``Service`` with its
evidence. ``matcher`` tells what an answer is, ``dialogue`` what to say next, ``machine`` runs many dialogues at once;
all three are pure. ``stage`` runs them over a real or simulated network.
"""
