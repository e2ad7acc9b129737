"""What OSProfiler's own driver takes to read traces: ``python traces_osprofiler.py URL TRACE TIMES``, in its environment.

Prints JSON: the seconds of each time, of ``report`` and ``list``, and how many spans and traces were found.
"""

from __future__ import annotations

import json
import sys
import time

from osprofiler.drivers import base


def count(nodes: list) -> int:
    """Return how many spans a report has."""
    found, waiting = 0, list(nodes)
    while waiting:
        found += 1
        waiting += waiting.pop()["children"]
    return found


def main() -> None:
    """Measure what the command line names."""
    url, trace, times = sys.argv[1:]
    driver = base.get_driver(url, conf={})
    took: dict[str, list[float]] = {"report": [], "list": []}
    for _ in range(int(times)):
        begin = time.perf_counter()
        text = json.dumps(driver.get_report(trace))
        took["report"].append(time.perf_counter() - begin)
        begin = time.perf_counter()
        traces = driver.list_traces()
        took["list"].append(time.perf_counter() - begin)
    print(json.dumps({**took, "spans": count(json.loads(text)["children"]), "traces": len(traces)}))


if __name__ == "__main__":
    main()
