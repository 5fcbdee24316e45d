"""Frozen values that every stage shares: plan, target, port, host, evidence, event.

In: nothing but the standard library (and numpy for column types).
Out: the vocabulary of the flow. A stage takes model values in and gives model events out; every
report is a view over those events.
"""
