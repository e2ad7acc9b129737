"""What a trace point of OSProfiler's own takes: ``python tracer_osprofiler.py COUNT ROUNDS [URL]``, in its environment.

Prints JSON: ns a point (start and stop within a trace), of each round. Without a URL notifications go nowhere.
"""

from __future__ import annotations

import json
import sys
import time

from osprofiler import notifier, profiler


def nowhere(*_: object, **__: object) -> None:
    """Drop a notification."""


def main() -> None:
    """Measure what the command line names."""
    count, rounds, *url = sys.argv[1:]
    notifier.set(notifier.create(url[0], conf={}) if url else nowhere)
    profiler.init("key")
    took = []
    for _ in range(int(rounds)):
        begin = time.perf_counter()
        for _ in range(int(count)):
            profiler.start("point")
            profiler.stop()
        took.append((time.perf_counter() - begin) / int(count) * 1e9)
    print(json.dumps(took))


if __name__ == "__main__":
    main()
