"""fedora-messaging: messages from the queues that its configuration file names, as its own consumers take them.

Rules:

* The file is read when the URL is opened: a change takes a restart. Nothing of fedora-messaging needs to be installed.
* The file's exchanges, queues and bindings are declared with each connection. One that exists otherwise, or that we may not
  declare, is used as it is.
* Who reads a queue takes its messages away from others. So a queue that somebody else reads, too, is told of in the log;
  with `queue` we have one of our own, bound as the file's are.
* Messages are acknowledged when settled, many at a time; what is not settled comes again, unless the queue ends with the
  connection, as fedora-messaging's own default does.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.backends._parts import fedora_messaging_file
from nilometer.backends._parts.amqp_consume import Consumer
from nilometer.backends._parts.amqp_link import Place
from nilometer.backends._parts.amqp_receive import MOST_AHEAD, Receiver
from nilometer.core.errors import UrlError
from nilometer.core.options import at_least, no_login, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.show import printable

if TYPE_CHECKING:
    from nilometer.backends._parts.amqp_link import Link, Queue
    from nilometer.backends._parts.fedora_messaging_file import Config
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
SCHEMES = ("fedora-messaging",)
URL_EXAMPLES = (
    "fedora-messaging:///etc/fedora-messaging/config.toml",
    "fedora-messaging:///etc/fedora-messaging/config.toml?queue=nilometer.statistics",
)
EXTRA = "amqp"
VARIABLE, USUAL = "FEDORA_MESSAGING_CONF", "/etc/fedora-messaging/config.toml"
"""Where the file is when the URL does not say, as for fedora-messaging itself: the variable names it."""
AHEAD = 1000


@dataclass(frozen=True, slots=True)
class Options:
    """How messages are received."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for each answer")  # noqa: RUF009 declares a field
    queue: str = option("", "receive from a durable queue of this name instead of the file's, bound as these are")
    prefetch: int = option(
        0, f"messages received before the first of them is settled, at most; 0: the file's `qos`, or {AHEAD}"
    )


class FedoraMessaging(Receiver):
    """Receives what a configuration says."""

    def __init__(self, url: Url, config: Config, options: Options) -> None:
        external = config.tls is not None and bool(config.tls.cert)
        super().__init__(url, Place(config.broker, options.timeout, config.tls, config.client, external), self._consume)
        self._config = config
        self._prefetch = options.prefetch or min(
            AHEAD if config.prefetch is None else config.prefetch or MOST_AHEAD, MOST_AHEAD
        )
        self._shared: dict[str, int] = {}

    def _consume(self, link: Link) -> Consumer:
        config = self._config
        used = {binding.exchange for binding in config.bindings}
        for exchange in config.exchanges:
            if exchange.name in used:
                link.exchange(exchange, passive=config.passive)
        return Consumer(link, [self._declared(link, queue) for queue in config.queues], self._prefetch)

    def _declared(self, link: Link, queue: Queue) -> str:
        """Declare a queue and bind it. Return its name, which the broker may have given it."""
        name, _, consumers = link.queue(queue, passive=self._config.passive)
        if consumers > self._shared.get(name, 0):
            LOG.warning(
                "%s: queue %s is read by others, too (%d), and what they take does not come here",
                self._url,
                printable(name),
                consumers,
            )
        self._shared[name] = consumers
        for binding in self._config.bindings:
            if binding.queue == queue.name:
                link.bind(name, binding.exchange, binding.keys)
        return name


def open(url: Url) -> FedoraMessaging:  # noqa: A001 each backend has this name
    """Open ``fedora-messaging:///PATH``. Raise `UrlError` for a wrong part or file. Connect on first use, not here."""
    import amqp  # type: ignore[import-untyped] # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "prefetch", options.prefetch, 0)
    if options.prefetch > MOST_AHEAD:
        raise refuse(url, f"option prefetch: {options.prefetch} is above {MOST_AHEAD}")
    if len(options.queue.encode()) > fedora_messaging_file.LONGEST:
        raise refuse(url, f"option queue has more than {fedora_messaging_file.LONGEST} bytes")
    no_login(url)
    if url.hosts:
        raise refuse(url, f"names a host; write {url.scheme}://{USUAL}: the file names the broker")
    return FedoraMessaging(url, _config(url, options), options)


def _config(url: Url, options: Options) -> Config:
    """Read the file that a URL names."""
    path = Path(url.path or os.environ.get(VARIABLE) or USUAL)
    try:
        found = fedora_messaging_file.read(path)
    except UrlError as error:
        raise refuse(url, f"{error}" if url.path else f"{path}: {error}") from error
    config = found.through(options.queue) if options.queue else found
    if config.passive and any(not queue.name for queue in config.queues):
        raise refuse(url, "passive_declares with a queue without a name: the broker could not make it")
    for binding in config.unbound():
        LOG.warning("%s: a binding is left out, its queue %s is not among queues", url, printable(binding.queue))
    return config
