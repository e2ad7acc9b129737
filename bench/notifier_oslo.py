"""What a call of oslo.messaging's notifier costs, for ``bench/notifier.py``: runs in an environment that has it.

``python bench/notifier_oslo.py DRIVER CALLS`` prints the nanoseconds of a call, by the clock and of CPU.
"""

from __future__ import annotations

import logging
import sys
import time

import oslo_messaging  # type: ignore[import-not-found]  # it lies in an environment of its own
from oslo_config import cfg  # type: ignore[import-not-found]  # see above

PAYLOAD = {
    "tenant_id": "acme",
    "user_id": "ann",
    "table_name": "Thread",
    "table_schema": "{}",
    "state": "active",
    "disk_gb": 0.5,
    "message": "created",
}
WARM = 200


def main() -> None:
    """Measure one driver."""
    driver, calls = sys.argv[1], int(sys.argv[2])
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.INFO)
    conf = cfg.ConfigOpts()
    conf([])
    transport = oslo_messaging.get_notification_transport(conf, url="fake://")
    notifier = oslo_messaging.Notifier(transport, "magnetodb.host1", driver=driver, topics=["notifications"])
    for _ in range(WARM):
        notifier.info({}, "magnetodb.table.create.end", PAYLOAD)
    clock, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(calls):
        notifier.info({}, "magnetodb.table.create.end", PAYLOAD)
    print((time.perf_counter_ns() - clock) / calls, (time.process_time_ns() - cpu) / calls)


if __name__ == "__main__":
    main()
