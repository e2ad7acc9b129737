"""The options of oslo.config: groups, names and defaults of the original."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from osprofiler import web

_GROUP = cfg.OptGroup("profiler", title="Profiler options", help="Traces of requests through services.")
_JAEGER = cfg.OptGroup("profiler_jaeger", title="Jaeger, no longer supported", help="Takes no effect; use otlp:// instead.")
_OTLP = cfg.OptGroup("profiler_otlp", title="OTLP", help="How spans are named for OpenTelemetry.")
_OPTIONS = (
    cfg.BoolOpt(
        "enabled",
        default=False,
        deprecated_group="profiler",
        deprecated_name="profiler_enabled",
        help="Whether requests are traced.",
    ),
    cfg.BoolOpt("trace_sqlalchemy", default=False, help="Whether statements of SQLAlchemy are traced."),
    cfg.BoolOpt("trace_requests", default=False, help="Whether requests by the library requests are traced."),
    cfg.StrOpt(
        "hmac_keys",
        default="SECRET_KEY",
        secret=True,
        help="Keys, separated by commas: who holds one can have a request traced. Change the default: everybody knows it.",
    ),
    cfg.StrOpt(
        "connection_string",
        default="messaging://",
        help="Where spans go: any URL of Nilometer that takes spans, or one of osprofiler's, such as messaging://, redis://host:6379.",
    ),
    cfg.StrOpt(
        "es_doc_type", default="notification", help="Takes no effect: Elasticsearch has no types of documents any more."
    ),
    cfg.StrOpt("es_scroll_time", default="2m", help="Takes no effect: pages are read without a scroll."),
    cfg.IntOpt("es_scroll_size", default=10000, help="Takes no effect: pages are read without a scroll."),
    cfg.FloatOpt("socket_timeout", default=0.1, help="Seconds after which Redis counts as away."),
    cfg.StrOpt("sentinel_service_name", default="mymaster", help="The name of the primary that Redis Sentinel watches."),
    cfg.BoolOpt("filter_error_trace", default=False, help="Whether traces with an error are listed apart."),
)
_JAEGER_OPTIONS = (
    cfg.StrOpt("service_name_prefix", deprecated_for_removal=True, help="Takes no effect."),
    cfg.DictOpt("process_tags", default={}, deprecated_for_removal=True, help="Takes no effect."),
)
_OTLP_OPTIONS = (cfg.StrOpt("service_name_prefix", help="What stands before the names of services."),)
_ALL = ((_GROUP, _OPTIONS), (_JAEGER, _JAEGER_OPTIONS), (_OTLP, _OTLP_OPTIONS))


def set_defaults(
    conf: Any,
    enabled: bool | None = None,
    trace_sqlalchemy: bool | None = None,
    hmac_keys: str | None = None,
    connection_string: str | None = None,
    es_doc_type: str | None = None,
    es_scroll_time: str | None = None,
    es_scroll_size: int | None = None,
    socket_timeout: float | None = None,
    sentinel_service_name: str | None = None,
) -> None:
    """Register the options, and change the defaults of those that are given."""
    given = {name: value for name, value in locals().items() if name != "conf" and value is not None}
    register(conf)
    for name, value in given.items():
        conf.set_default(name, value, group=_GROUP.name)


def register(conf: Any) -> None:
    """Register the options; once is enough."""
    for group, options in _ALL:
        conf.register_opts(options, group=group)


def is_trace_enabled(conf: Any = None) -> bool:
    """Return whether tracing is on."""
    return bool(_profiler(conf).enabled)


def is_db_trace_enabled(conf: Any = None) -> bool:
    """Return whether tracing is on, and that of SQLAlchemy, too."""
    return bool(_profiler(conf).enabled and _profiler(conf).trace_sqlalchemy)


def enable_web_trace(conf: Any = None) -> None:
    """Let middlewares trace where tracing is on."""
    if is_trace_enabled(conf):
        web.enable(_profiler(conf).hmac_keys)


def disable_web_trace(conf: Any = None) -> None:
    """Let middlewares trace no more where tracing is on."""
    if is_trace_enabled(conf):
        web.disable()


def _profiler(conf: Any) -> Any:
    return (cfg.CONF if conf is None else conf).profiler


def list_opts() -> list[tuple[str, list[Any]]]:
    """Return the options by group, for oslo-config-generator."""
    return [(group.name, list(options)) for group, options in _ALL]


register(cfg.CONF)
