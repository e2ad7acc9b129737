"""Send as a service of OpenStack does: ``notify.py TRANSPORT_URL EXCHANGE DRIVERS TOPICS``, in oslo's environment.

Reads lines of JSON, ``[priority, context, event_type, payload]``, and sends each by every driver; a context is a
RequestContext's arguments.
"""

from __future__ import annotations

import json
import sys

import oslo_messaging  # type: ignore[import-not-found]  # it lies in an environment of its own
from oslo_config import cfg
from oslo_context.context import RequestContext  # type: ignore[import-not-found]  # see above


def main() -> None:
    """Send every line of the input."""
    url, exchange, drivers, topics = sys.argv[1:5]
    conf = cfg.ConfigOpts()
    conf([])
    oslo_messaging.set_transport_defaults(exchange)
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    notifiers = [
        oslo_messaging.Notifier(transport, "magnetodb.host1", driver=driver, topics=topics.split(","), retry=3)
        for driver in drivers.split(",")
    ]
    for line in sys.stdin:
        priority, context, event_type, payload = json.loads(line)
        for notifier in notifiers:
            getattr(notifier, priority)(RequestContext(**context) if context else {}, event_type, payload)


if __name__ == "__main__":
    main()
