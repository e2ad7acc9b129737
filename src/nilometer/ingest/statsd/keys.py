"""Every key of statsd's configuration file: its default, and what it does here.

Rules:

* A key stands here once. What the reader accepts, what it warns of, and docs/reference/statsd-config.md come from this table.
* ``[]`` in a name stands for any item of a list.

Source: ``exampleConfig.js``, ``lib/``, ``servers/`` and ``backends/`` of statsd 0.10.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nilometer.core.errors import did_you_mean

INDEX = re.compile(r"\[\d+\]")


class Key(NamedTuple):
    """One key. `help` says what it does, or, without `effect`, why it does nothing; `alone`, why no setting of ours does it."""

    name: str
    default: str
    help: str
    effect: bool = True
    alone: str = ""


PROXY = "it is a key of statsd's cluster proxy"

SERVER = (
    Key("server", "./servers/udp", "the kind of listener: `./servers/udp` or `./servers/tcp`"),
    Key("address", "", "the address to listen on; empty is every address"),
    Key("address_ipv6", "false", "with UDP and no address, listen on `::` instead of `0.0.0.0`"),
    Key("port", "8125", "the port to listen on; 0 is the default"),
    Key("socket", "", "with TCP, the path of a Unix socket to listen on instead"),
    Key("socket_mod", "", "the mode of that socket's file, as a number or a text of octal digits"),
)
KEYS = (
    *SERVER,
    Key("servers", "", "a list of listeners; the keys above are then those of each"),
    *(key._replace(name=f"servers[].{key.name}") for key in SERVER),
    Key("mgmt_address", "", "the address of the admin interface: `admin.listen`; empty is every address"),
    Key("mgmt_port", "8126", "the port of the admin interface: `admin.listen`"),
    Key("healthStatus", "up", "what the command `health` answers at first", alone="a server starts healthy"),
    Key(
        "title",
        "",
        "the name of the process in `ps` and `top`, as far as it fits; without it, nothing is renamed",
        alone="the process keeps its name",
    ),
    Key("flushInterval", "10000", "milliseconds from flush to flush: `flush.interval`"),
    Key("percentThreshold", "90", "one percentile or a list of them: `timers.percentiles`; 0 is the default"),
    Key("calculatedTimerMetrics", "[]", "the only statistics of timers to send: `timers.statistics`; none sends all"),
    Key("histogram", "[]", "a list of histograms: `timers.histograms`"),
    Key("histogram[].metric", "''", "what a timer's key must contain"),
    Key("histogram[].bins", "[]", "the upper bounds of its bins; the last may be `'inf'`"),
    Key("deleteIdleStats", "false", "the default of the four keys below"),
    Key("deleteCounters", "false", "forget idle counters, but statsd's own: `idle.delete_counters`"),
    Key("deleteTimers", "false", "forget idle timers: `idle.delete_timers`"),
    Key("deleteSets", "false", "forget idle sets: `idle.delete_sets`"),
    Key("deleteGauges", "false", "forget idle gauges: `idle.delete_gauges`"),
    Key(
        "gaugesMaxTTL",
        "1",
        "with `deleteGauges`, in how many flushes a gauge is reported after its last update: `idle.gauge_ttl`",
    ),
    Key("keyNameSanitize", "true", "clean names on arrival: `names.sanitize`; when off, the Graphite sink cleans them"),
    Key("prefixStats", "statsd", "the prefix of the server's figures about itself: `self.prefix`"),
    Key("backends", "['./backends/graphite']", "any of `./backends/graphite`, `./backends/console` and `./backends/repeater`"),
    Key("graphiteHost", "", "Graphite's host; without it, nothing is sent there"),
    Key("graphitePort", "2003", "the port of Graphite's text protocol"),
    Key("graphitePicklePort", "2004", "the port of Graphite's pickle protocol"),
    Key("graphiteProtocol", "text", "`text` or `pickle`"),
    Key("flush_counts", "true", "send counters' counts besides their rates"),
    Key("graphite", "{}", "how names become Graphite's paths, in the keys that follow"),
    Key("graphite.legacyNamespace", "true", "statsd's old namespace; the prefixes below have no effect in it"),
    Key("graphite.globalPrefix", "stats", "what every path begins with"),
    Key("graphite.prefixCounter", "counters", "what follows for counters"),
    Key("graphite.prefixTimer", "timers", "what follows for timers"),
    Key("graphite.prefixGauge", "gauges", "what follows for gauges"),
    Key("graphite.prefixSet", "sets", "what follows for sets"),
    Key("graphite.globalSuffix", "", "what every path ends in"),
    Key("console", "{}", "how the console prints"),
    Key("console.prettyprint", "false", "in colours, and whole"),
    Key("repeater", "[]", "where every packet goes as it came, with `./backends/repeater` among the backends: `relay.to`"),
    Key("repeater[].host", "localhost", "its host"),
    Key("repeater[].port", "", "its port"),
    Key("repeaterProtocol", "udp4", "`udp4`, `udp6` or `tcp`; with `tcp` each packet gets a newline after it"),
    Key("keyFlush", "{}", "the log of the most frequent keys; read at the start"),
    Key("keyFlush.interval", "0", "milliseconds from one to the next: `keyflush.interval`; 0 turns it off"),
    Key("keyFlush.percent", "100", "the share of the keys to write, the most frequent first: `keyflush.percent`"),
    Key("keyFlush.log", "", "the file to append to: `keyflush.log`; without it, standard output"),
    Key("dumpMessages", "false", "log every line that comes in: `log.messages`"),
    Key("debug", "false", "log more: `log.level` becomes `debug`"),
    Key("log", "{}", "where the log goes"),
    Key("log.backend", "stdout", "`stdout` or `syslog`: `log.to`"),
    Key("log.application", "statsd", "the program's name in syslog: `log.name`"),
    Key("log.level", "LOG_INFO", "the priority in syslog of refused lines", alone="refused lines are warnings"),
    Key(
        "automaticConfigReload",
        "true",
        "watch the file and read it again when it changes",
        alone="settings are read again on SIGHUP",
    ),
    Key("debugInterval", "10000", "statsd itself has not read it since 0.6", effect=False),
    *(
        Key(name, "", PROXY, effect=False)
        for name in ("nodes", "host", "udp_version", "checkInterval", "cacheSize", "forkCount")
    ),
)
BY_NAME = {key.name: key for key in KEYS}


def alone(path: str) -> str:
    """Return why no setting of ours does what the key of that path does; empty when one does, or when it does nothing."""
    key = BY_NAME.get(INDEX.sub("[]", path))
    return key.alone if key is not None and key.effect else ""


def reason(path: str) -> str:
    """Return why the key of that path, such as ``servers[0].port``, has no effect; empty when it has one."""
    name = INDEX.sub("[]", path)
    if name in BY_NAME:
        return "" if BY_NAME[name].effect else BY_NAME[name].help
    parent, _, last = name.rpartition(".")
    beside = [key.name.removeprefix(f"{parent}.") for key in KEYS if key.name.rpartition(".")[0] == parent]
    return f"neither statsd nor a backend of its own has such a key{did_you_mean(last, beside)}"
