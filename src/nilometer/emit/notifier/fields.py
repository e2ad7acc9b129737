"""What a caller gives, as the fields of an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.event_types import Payload
from nilometer.core.wire.event import LONGEST, UNFIT

if TYPE_CHECKING:
    from nilometer.emit.notifier.plain import Plain

Fields = tuple[str, dict[str, Any], dict[str, Any]]
"""Tenant, payload and context."""


class Given(NamedTuple):
    """What a caller gives."""

    payload: object
    more: Mapping[str, object] | None
    tenant: str
    user: str
    context: object


def fields(plain: Plain, given: Given) -> Fields:
    """Return tenant, payload and context, made plain. Tenant and user stand in the payload, too, which may name the tenant."""
    found: dict[Any, Any] = {}
    if given.tenant:
        found["tenant_id"] = given.tenant
    if given.user:
        found["user_id"] = given.user
    if given.payload is not None:
        found.update(mapping(given.payload))
    if given.more:
        found.update(given.more)
    held = plain(found)
    owner = given.tenant or held.get("tenant_id") or ""
    return short(str(owner)), held, plain(mapping(given.context)) if given.context is not None else {}


def mapping(given: object) -> Mapping[Any, Any]:
    """Return a payload or a context as a mapping; what is none stands under ``value``."""
    if type(given) is dict:
        return given
    if isinstance(given, Payload):
        return given.as_mapping()
    to_dict = getattr(given, "to_dict", None)
    if callable(to_dict):
        given = to_dict()
    return given if isinstance(given, Mapping) else {"value": given}


def short(text: str) -> str:
    """Return a text as events have it: of bounded length, without control characters."""
    text = text[:LONGEST]
    return text if text.isascii() and text.isprintable() else UNFIT.sub("_", text)
