"""The address to look at: charts of the example service, made of the series that it sends.

The page reads all that it shows from behind the ``#``: ``chart=TITLE`` begins a chart, each ``s=PATH`` is a line of it, and
``{a,b}`` stands for a path with each.
"""

from __future__ import annotations

NODE = "demo"
"""What the example service calls itself in its metrics."""
TIMERS, COUNTERS, GAUGES = (f"stats.{kind}.{NODE}.mdb" for kind in ("timers", "counters", "gauges"))
ENDPOINTS = "{get_item,put_item,update_item,query,scan}"
CHARTS = (
    ("Requests per second", f"{TIMERS}.req.timing.count_ps", f"{TIMERS}.req.timing.{ENDPOINTS}.count_ps"),
    ("Latency, ms", f"{TIMERS}.req.timing.{{median,upper_95,upper_99}}"),
    ("Errors and failures per second", f"{COUNTERS}.req.{{errors,failures}}.rate"),
    ("95 % within, ms, by endpoint", f"{TIMERS}.req.timing.{ENDPOINTS}.upper_95"),
    ("Requests per second, by customer", f"{TIMERS}.req.timing.{{acme,globex,initech}}.count_ps"),
    ("Database, 95 % within, ms", f"{TIMERS}.sql.{{select,insert,update,delete}}.timing.upper_95"),
    ("Background tasks, ms", f"{TIMERS}.req.{{table_create_task,table_delete_task}}.timing.mean"),
    ("Tables", f"{GAUGES}.tables.{{ACTIVE,CREATING,DELETING}}"),
    ("Items in its database", f"stats.gauges.{NODE}.tables.tables.{{items,index_entries}}.item_count"),
)
"""Titles, and the series under each."""


def address(base: str) -> str:
    """Return the address of the page below ``http://host:port``; short enough to be read, so only spaces and % are escaped."""
    parts = [f"chart={title}&{'&'.join(f's={path}' for path in paths)}" for title, *paths in CHARTS]
    return f"{base}/#/charts?{'&'.join(parts)}&range=5m".replace("%", "%25").replace(" ", "+")
