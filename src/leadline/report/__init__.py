"""The outputs: every one is a view over the event stream, and nothing is computed here that another could not see.

In: ``model.event`` events, one by one, and the ``OutputPlan``.
Out: text for the terminal (``text``), a log file (``text``), XML (``xml_doc``), grepable lines (``grepable``), JSON
lines (``json_lines``), written by ``sink``. ``view`` decides which ports are shown one by one and which are only
counted, ``progress`` when a progress event is worth a line, ``words`` and ``escape`` how things are said safely.
"""
