"""Subjects of NATS, made of a template and an event."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from nilometer.core.options import refuse

if TYPE_CHECKING:
    from nilometer.core.record import Event
    from nilometer.core.url import Url

FIELDS = ("prefix", "type", "tenant", "publisher", "priority")
UNFIT = re.compile(r"[\s*>\x00-\x1f\x7f]")


def subject(template: str, prefix: str, event: Event) -> str:
    """Return the subject of an event: the template filled in, with ``_`` for what a subject cannot hold."""
    fields = {"type": event.type, "tenant": event.tenant, "publisher": event.publisher, "priority": event.priority}
    fitting = {name: ".".join(UNFIT.sub("_", part) or "_" for part in value.split(".")) for name, value in fields.items()}
    return template.format(prefix=prefix, **fitting)


def check_template(url: Url, prefix: str, template: str) -> None:
    """Raise `UrlError` unless every subject that these make begins with the prefix."""
    if not prefix or UNFIT.search(prefix) or "" in prefix.split("."):
        raise refuse(url, f"option prefix: {prefix!r} is no beginning of a subject")
    try:
        parts = [(name, spec, kind) for _, name, spec, kind in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise refuse(url, f"option subject: {error}") from error
    for name, spec, kind in parts:
        if name not in FIELDS or spec or kind:
            raise refuse(url, f"option subject: {{{name}}} is none of {', '.join(FIELDS)}")
    if not template.startswith("{prefix}.") or UNFIT.search(template) or "" in template.split("."):
        raise refuse(url, "option subject begins with {prefix}. and has neither blanks nor * nor > nor empty parts")
