"""Listen as services of OpenStack do: ``listen.py TRANSPORT_URL EXCHANGE TOPIC``, in oslo's environment.

Prints the line ``ready``, then one of JSON for each notification that reaches an endpoint: the endpoint's priority, context,
publisher, type, payload and metadata. A second endpoint is Ceilometer's: it takes the types that its handler of MagnetoDB took,
and its converter makes events with traits of them, which are told under ``ceilometer``. Ends when its input ends.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any

import oslo_messaging  # type: ignore[import-not-found]  # it lies in an environment of its own
from ceilometer.event import converter  # type: ignore[import-not-found]  # see above
from oslo_config import cfg
from stevedore import extension

PRIORITIES = ("audit", "debug", "info", "warn", "error", "critical", "sample")
TRAITS = {
    "resource_id": {"fields": "payload.table_uuid"},
    "index_count": {"type": "int", "fields": "payload.index_count"},
    "tenant": {"fields": "ctxt.tenant"},
    "user": {"fields": "ctxt.user"},
}
"""What its handler of MagnetoDB read, besides the traits that every event has."""


class Endpoint:
    """Prints what comes, with its priority."""

    def __init__(self) -> None:
        for priority in PRIORITIES:
            setattr(self, priority, partial(told, priority))


class Ceilometer:
    """Makes Ceilometer's events of notifications."""

    filter_rule = oslo_messaging.NotificationFilter(event_type=r"^magnetodb\.table\.(create|delete)\.end$")

    def __init__(self) -> None:
        conf = cfg.ConfigOpts()
        conf.register_opts(converter.OPTS, group="event")
        conf([])
        plugins: Any = extension.ExtensionManager(namespace="ceilometer.event.trait_plugin")
        wanted = [{"event_type": "magnetodb.table.*", "traits": TRAITS}]
        self._converter = converter.NotificationEventsConverter(conf, wanted, plugins)

    def info(self, ctxt: Any, publisher_id: str, event_type: str, payload: Any, metadata: Any) -> None:  # noqa: ANN401 oslo calls it
        """Print the event that a notification becomes."""
        body = {"ctxt": ctxt, "publisher_id": publisher_id, "event_type": event_type, "payload": payload, "metadata": metadata}
        event = self._converter.to_event("info", body)
        traits = {trait.name: trait.value for trait in event.traits}
        about = {"message_id": event.message_id, "generated": str(event.generated)}
        told("ceilometer", {}, publisher_id, event.event_type, traits, about)


def told(endpoint: str, *heard: object) -> None:
    """Print context, publisher, type, payload and metadata in one piece: endpoints are called by several threads."""
    sys.stdout.write(json.dumps([endpoint, *heard]) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Listen until the input ends."""
    url, exchange, topic = sys.argv[1:4]
    conf = cfg.ConfigOpts()
    conf([])
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    target = oslo_messaging.Target(topic=topic, exchange=exchange)
    endpoints = [Endpoint(), Ceilometer()]
    listener = oslo_messaging.get_notification_listener(transport, [target], endpoints, executor="threading")
    listener.start()
    print("ready", flush=True)
    sys.stdin.read()
    listener.stop()


if __name__ == "__main__":
    main()
