"""Statistics of a bus: each message handed to plugins, what they make of it kept in SQL, gaps filled from an archive.

Rules:

* A message is in the inbox (`nilometer.core.capability.StatisticsStore`) before the bus is told that it is done with; the inbox
  knows ids, so that what comes twice counts once.
* A plugin is a function of a message: it returns changes that commute. Statistics advance through the inbox by themselves, each
  with an offset that moves in the transaction that changes its rows.
* A plugin that raises stops alone.
"""
