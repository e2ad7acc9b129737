"""The options that commands about events share: which events, and where they are."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nilometer.cli.asking import SERVER
from nilometer.cli.choice import Choice
from nilometer.cli.link import with_access
from nilometer.core.event_query import EventQuery
from nilometer.core.wire.event import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")


def _words(given: dict[str, Any]) -> dict[str, Any]:
    """Take out of what was given the words that an event is asked for by."""
    return {name: given.pop(f"event_{name}") or "" for name in ("type", "tenant", "publisher", "priority", "text")}


def with_events(function: F) -> F:
    """Give a command the flags that say which events, as `query`, and where they are, as `url`, `store` and `access`."""

    @functools.wraps(function)  # with it go the flags that it has already
    def call(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 click's own arguments pass through
        query = EventQuery(**_words(kwargs))
        return function(*args, query=query, **kwargs)

    decorated: Any = with_access("", "the server", "access")(call)
    for decorate in (
        click.option("--store", metavar="URL", help="Read this store instead of asking a server."),
        click.option("--text", "event_text", default="", metavar="TEXT", help="What stands in the payload, as JSON writes it."),
        click.option("--priority", "event_priority", type=Choice(PRIORITIES), help="Only of this priority."),
        click.option("--publisher", "event_publisher", default="", metavar="NAME", help="Only of this publisher."),
        click.option("--tenant", "event_tenant", default="", metavar="NAME", help="Only of this tenant."),
        click.option("--type", "event_type", default="*", metavar="GLOB", help="Only types that fit; * crosses dots."),
        click.argument("url", default=SERVER),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]  # click's decorators return what they are given
