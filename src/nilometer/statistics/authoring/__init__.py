"""For those who write plugins: a plugin to begin with, its rows over messages of a test, and over recorded ones.

::

    from nilometer.statistics.authoring import rows
    from nilometer.core.statistics import Message

    rows("orders.py", [Message("1", 1767571200.0, "org.example.prod.shop.order")])
"""

from __future__ import annotations

from nilometer.statistics.authoring.making import rows

__all__ = ["rows"]
