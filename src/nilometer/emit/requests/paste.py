"""Request metrics in a pipeline of paste.deploy: its values are texts, and become options here.

    [filter:metrics]
    use = egg:nilometer#request_metrics
    client = statsd://127.0.0.1:8125
    groups = node endpoint tenant
    tenant = header:X-Project-Id
    rates = query=0.1 scan=0.5

Rules:

* Every field of `Options` has its name here. Sets and rates are words, divided by spaces or commas.
* paste.deploy keeps quotes around a value; one pair of them is taken off.
* ``tracer`` is the URL that spans go to; the service's name comes from ``NILOMETER_SERVICE``.
* ``tenant`` is ``keystone``, ``header:NAME``, ``parameter:NAME`` or ``MODULE:FUNCTION``; ``endpoint`` the last of these.
"""

from __future__ import annotations

import os
from dataclasses import fields
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from nilometer.core.errors import UrlError
from nilometer.emit.requests.endpoints import tenant_header, tenant_parameter
from nilometer.emit.requests.options import Options
from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.emit.tracer import SERVICE, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from nilometer.emit.requests.options import Naming

TRUE, FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
KINDS = {field.name: cast("str", field.type) for field in fields(Options)}


def filter_factory(_defaults: object, **values: str) -> Callable[[WSGIApplication], RequestMetrics]:
    """Make a filter for paste.deploy. Raise `ValueError`, naming the option, for what cannot be read."""
    options = Options(**{name: read(name, value) for name, value in values.items()})
    return lambda application: RequestMetrics(application, options)


def read(name: str, text: str) -> Any:  # noqa: ANN401 of the option's type
    """Return the value of an option. Raise `ValueError` for an unknown one, or a value that it does not take."""
    if name not in KINDS:
        near = get_close_matches(name, KINDS, 1)
        message = f"{name}: no such option" + (f"; did you mean {near[0]}?" if near else "")
        raise ValueError(message)
    text = _unquoted(text.strip())
    try:
        if name == "tracer":
            return Tracer(text, service=os.environ.get(SERVICE, "")) if text else None
        return _naming(text) if name in ("endpoint", "tenant") else _value(KINDS[name], text)
    except (ValueError, ImportError, AttributeError, UrlError) as error:
        message = f"{name}: {text!r} is not understood: {error}"
        raise ValueError(message) from error


def _value(kind: str, text: str) -> object:
    """Return a text as what an option of that type takes."""
    if kind.startswith("AbstractSet"):
        return frozenset(_words(text))
    if kind.startswith("Mapping"):
        return {name: float(rate) for name, _, rate in (word.rpartition("=") for word in _words(text))}
    if kind == "bool":
        return _flag(text)
    return float(text) if kind == "float" else int(text) if kind == "int" else text


def _naming(text: str) -> Naming | None:
    """Return the function that a text stands for."""
    kind, colon, name = text.partition(":")
    if not text or text == "keystone":
        return tenant_header() if text else None
    if not (colon and name):
        message = "expected keystone, header:NAME, parameter:NAME or MODULE:FUNCTION"
        raise ValueError(message)
    if kind in ("header", "parameter"):
        return tenant_header(name) if kind == "header" else tenant_parameter(name)
    return cast("Naming", getattr(import_module(kind), name))


def _flag(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        message = "expected true or false"
        raise ValueError(message)
    return text.lower() in TRUE


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
