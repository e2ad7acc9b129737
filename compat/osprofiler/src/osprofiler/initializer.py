"""Sets everything up from a service's configuration."""

from __future__ import annotations

from typing import Any

from osprofiler import notifier, requests, web


def init_from_conf(conf: Any, context: Any, project: str, service: str, host: str, **kwargs: Any) -> None:
    """Send notifications where ``[profiler] connection_string`` says, and trace web requests with its keys.

    It does not look at ``enabled``: whoever calls does.
    """
    settings = conf.profiler
    made = notifier.create(
        settings.connection_string, context=context, project=project, service=service, host=host, conf=conf, **kwargs
    )
    notifier.set(made)
    web.enable(settings.hmac_keys)
    if getattr(settings, "trace_requests", False):
        requests.enable()
