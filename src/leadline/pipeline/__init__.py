"""The only place that knows the order of the stages.

In: a plan, a network, a resolver. Out: the events of the scan. ``order`` is the order itself; ``opening`` says how a
scan begins and ends, ``known`` keeps what is known of a block's targets, ``naming`` asks for names, ``scanning`` has
the ports and services of those that are up looked at.
"""

from leadline.pipeline.order import BLOCK, run

__all__ = ["BLOCK", "run"]
