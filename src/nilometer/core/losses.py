"""Every way in which a record can be lost, and how often each happened.

Rules:

* The list `LOSSES` is fixed: a stage that drops something names one of its lines, and each line is used somewhere.
* A count only grows. `Losses` starts at zero with the process; its totals become the counters
  ``<prefix>.lost.<stage>.<reason>`` with every flush, zeros included, so that an alarm can be set before the first loss.
* What one count stands for (a value, a datagram, a flush) is said by the line's help text.
"""

from __future__ import annotations

from threading import RLock
from typing import NamedTuple

from nilometer.core.errors import did_you_mean


class Loss(NamedTuple):
    """One line of the list: where something is dropped, why, and what that means to an operator."""

    stage: str
    reason: str
    help: str

    @property
    def metric(self) -> str:
        """The name of its counter, below the prefix of the self-metrics."""
        return f"lost.{self.stage}.{self.reason}"


LOSSES = (
    Loss("kernel", "bad_line", "values in lines that do not follow the grammar; the log shows samples with their source"),
    Loss(
        "kernel", "name_limit", "values whose name is longer than limits.name; they count in the overflow series of their kind"
    ),
    Loss("kernel", "tag_limit", "values with more tags than limits.tags; they count in the overflow series of their kind"),
    Loss("kernel", "series_limit", "values for a new series once limits.series is reached; they count in an overflow series"),
    Loss("kernel", "key_limit", "values for a new series once limits.keys is reached; they count in an overflow series"),
    Loss("kernel", "prefix_limit", "values for a new series beyond limits.series_per_prefix; they count in an overflow series"),
    Loss("kernel", "source_limit", "values for a new series beyond limits.series_per_source; they count in an overflow series"),
    Loss(
        "kernel", "sample_limit", "timer samples left out of percentiles, as limits.samples leaves no room for sketches either"
    ),
    Loss("kernel", "set_member_limit", "set members not counted, as limits.set_members leaves no room for estimates either"),
    Loss("kernel", "rule", "values that a rule dropped, or that no rule kept"),
    Loss("kernel", "timed_limit", "values with a timestamp of their own beyond what a window holds aside"),
    Loss("event", "limit", "events and service checks beyond what is held until they are handed on"),
    Loss("event", "no_sink", "events and service checks while neither a sink takes events nor a store keeps them"),
    Loss("event", "bad_message", "messages from a bus or an archive that are no event, or too large; the log shows samples"),
    Loss("event", "unknown_type", "events of types that are not known, while events.unknown refuses such"),
    Loss("event", "sink", "events that waited for a sink beyond what its queue holds, or until the end"),
    Loss("event", "rejected", "events that a sink, or the store of events, refused for good"),
    Loss("event", "size", "events dropped, oldest first, because they would exceed the bound of their spool"),
    Loss("event", "age", "events dropped because they waited in a spool for longer than its bound"),
    Loss("event", "corrupt", "events in files of a spool that do not hold them whole; they are set aside as *.corrupt"),
    Loss("event", "disk", "events that could not be written to, or read from, the disk of their spool"),
    Loss("span", "sink", "spans that waited for a sink beyond what its queue holds, or until the end"),
    Loss("span", "rejected", "spans that a sink, or the store of traces, refused for good"),
    Loss("span", "size", "spans dropped, oldest first, because they would exceed the bound of their spool"),
    Loss("span", "age", "spans dropped because they waited in a spool for longer than its bound"),
    Loss("span", "corrupt", "spans in files of a spool that do not hold them whole; they are set aside as *.corrupt"),
    Loss("span", "disk", "spans that could not be written to, or read from, the disk of their spool"),
    Loss("collect", "source", "readings of a source of tables that failed, or did not come to their end"),
    Loss("collect", "table", "tables that a source could not tell of, or whose series have the names of another's"),
    Loss("collect", "late", "runs of tables or health checks that were skipped because the one before still went on"),
    Loss(
        "statistics", "expired", "messages that left the inbox before a statistic that was stopped had seen them, for each such"
    ),
    Loss("statistics", "archive", "messages that an archive says it has and never gave, however often it was asked"),
    Loss("socket", "kernel_drop", "datagrams that the operating system dropped because its receive buffer was full"),
    Loss("listener", "address", "datagrams and connections from outside the networks that a listener allows"),
    Loss("listener", "signature", "datagrams without a signature, or with a wrong one, for a listener with a key"),
    Loss("listener", "time", "signed datagrams that were too early or too late by the listener's clock"),
    Loss("listener", "replayed", "signed datagrams that had come before"),
    Loss("listener", "full", "signed datagrams beyond those that a listener remembers (hmac_remembered)"),
    Loss("listener", "tls", "connections with which no TLS session came about"),
    Loss("stream", "unfinished_line", "last lines without a newline of stream clients whose connection broke"),
    Loss("stream", "connection_limit", "stream connections refused because limits.connections were open"),
    Loss("relay", "queue", "packets that the relay had no room for in its queue (relay.queue)"),
    Loss("relay", "refused", "datagrams forwarded that the system refused: nobody listens there, or they are too long"),
    Loss("relay", "away", "packets for a target of the relay that was away or too slow"),
    Loss("relay", "no_target", "lines that were not forwarded because no target on the ring was well"),
    Loss("spool", "size", "flushes dropped, oldest first, because a sink's spool would exceed spool.size"),
    Loss("spool", "age", "flushes dropped because they waited in a sink's spool for longer than spool.age"),
    Loss("spool", "corrupt", "files in a spool that do not hold a whole flush; they are set aside as *.corrupt"),
    Loss("spool", "disk", "flushes that could not be written to, or read from, the spool's disk"),
    Loss("store", "damaged", "blocks and rows of the embedded store that are damaged; their points are left out"),
    Loss("sink", "refused", "series and events that a sink refused for good while it stored the others"),
    Loss("sink", "rejected", "flushes that a sink refused for good"),
    Loss("sink", "tag", "tags that a sink has no place for; their series are written without them"),
    Loss("sink", "out_of_range", "values left out of a written flush because they are too large for the sink"),
    Loss("sink", "not_finite", "values, NaN or infinite, left out of a written flush because the sink's format has none"),
    Loss("sink", "too_long", "values left out of a written flush because their line does not fit into a datagram"),
)
"""The fixed list, in the order of a record's way."""

KNOWN = {(loss.stage, loss.reason): loss for loss in LOSSES}


class Losses:
    """Counters for every line of the list. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = RLock()  # a signal's handler may count, too
        self._totals = dict.fromkeys(KNOWN, 0)

    def count(self, stage: str, reason: str, number: int = 1) -> None:
        """Add `number` losses. Raise ValueError for a stage and reason that the list lacks, or a negative number."""
        if (stage, reason) not in KNOWN:
            name = f"{stage}.{reason}"
            message = f"{name!r} is no line of LOSSES{did_you_mean(name, (f'{s}.{r}' for s, r in KNOWN))}"
            raise ValueError(message)
        if number < 0:
            message = f"losses only grow: {number} for {stage}.{reason}"
            raise ValueError(message)
        with self._lock:
            self._totals[stage, reason] += number

    def totals(self) -> dict[tuple[str, str], int]:
        """Return the count of every ``(stage, reason)`` of the list since the start, in the list's order."""
        with self._lock:
            return dict(self._totals)
