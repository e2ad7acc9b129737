"""The StatsD client: counters, gauges, timers, sets, histograms, distributions, events, service checks.

client      `StatsD`: what an application makes and calls
compatible  `StatsClient` and its like, made as those of the package ``statsd`` are
methods     what can be sent; timer, pipeline
line        the text of a line, pure
aggregate   counters added up until the flush
outbox      the queue, the thread, fork and exit; packing, datagrams, stream
options     the URL; losses: what is dropped, by reason
"""

from nilometer.emit.client.client import StatsD
from nilometer.emit.client.compatible import StatsClient, TCPStatsClient, UnixSocketStatsClient
from nilometer.emit.client.pipeline import Pipeline
from nilometer.emit.client.timer import Timer

__all__ = ["Pipeline", "StatsClient", "StatsD", "TCPStatsClient", "Timer", "UnixSocketStatsClient"]
