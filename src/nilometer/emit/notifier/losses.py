"""What a notifier drops, by reason.

==============  ========================================================================================
reason          events that
==============  ========================================================================================
``queue``       came while so many waited that there was no room, or waited at the end without a spool
``rejected``    a driver's other side refused for good
``size``        a spool had no room for; the oldest went
``age``         waited in a spool for longer than it keeps them
``corrupt``     lay in a file of a spool that was damaged
``disk``        could not be written to, or read from, a spool's disk
``unknown``     are of a type that the registry does not know, where such are refused
``closed``      came after the notifier was closed
``error``       failed in a way that nobody foresaw
==============  ========================================================================================
"""

from __future__ import annotations

SINK = {"sink": "queue", "rejected": "rejected", "size": "size", "age": "age", "corrupt": "corrupt", "disk": "disk"}
"""Reasons of `core.losses`, and what they are called here."""
OWN = ("unknown", "closed", "error")
REASONS = (*SINK.values(), *OWN)
