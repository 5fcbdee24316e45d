"""Which addresses: the plan's expressions, lists and exclusions become blocks of addresses in columns.

In: a ``TargetPlan``, a ``Resolver`` for names, the lines of the files that it names. Out: ``TargetBlock``s of one
family each, and a ``TargetSkipped`` for each expression that gives none. Everything is lazy: a /8 costs no memory.
"""
