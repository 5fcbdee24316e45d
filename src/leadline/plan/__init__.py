"""Options -> Plan: what one scan shall do, complete and checked before the first packet.

In: ``options.Options``, plain values as the command line or the Python API give them, and whether raw packets can be
sent. Out: ``model.plan.Plan``, or one ``UsageError`` that carries every mistake at once.
``presets`` holds the timing templates, ``discovery`` the sets of discovery probes, ``port_choice`` which ports,
``technique_choice`` how they are scanned, ``check`` the contradictions, ``build`` puts them together. Pure, and light:
no numpy, no data table before its use.
"""
