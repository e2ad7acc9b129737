"""What osprofiler itself does with a store: ``speak.py URL trace|list|report BASE_ID``. It prints JSON."""

import json
import sys

from oslo_config import cfg

from osprofiler import initializer, opts, profiler
from osprofiler.drivers import base


def at(url: str) -> tuple[str, dict[str, str]]:
    """Return a connection string and what else its driver is told: RabbitMQ is named by oslo.messaging's own URL."""
    return ("messaging://", {"transport_url": url}) if url.startswith("rabbit://") else (url, {})


def trace(url: str) -> None:
    """Write a trace of three points, one of which fails, and print its id."""
    conf = cfg.ConfigOpts()
    url, given = at(url)
    opts.set_defaults(conf, enabled=True, connection_string=url, hmac_keys="SECRET", trace_sqlalchemy=True)
    initializer.init_from_conf(conf, {}, "nova", "compute", "host-1", **given)
    print(json.dumps(profiler.init("SECRET").get_base_id()))  # before the work: the id is all that the caller needs
    with profiler.Trace("wsgi", {"request": {"path": "/v2.1/servers", "method": "GET", "query": "", "scheme": "http"}}):
        with profiler.Trace("db", {"db": {"statement": "SELECT 1", "params": {"a.b": 1, "deep": [[{"x": 1}]]}}}):
            pass
        try:
            with profiler.Trace("rpc", {"function": {"name": "nova.call"}}):
                int("no host")
        except ValueError:
            pass


def main() -> None:
    """Do what the arguments say."""
    url, what, *rest = sys.argv[1:]
    if what == "trace":
        trace(url)
        return
    url, given = at(url)
    driver = base.get_driver(url, conf=cfg.CONF, **given)
    print(json.dumps(driver.list_traces() if what == "list" else driver.get_report(rest[0]), default=str))


main()
