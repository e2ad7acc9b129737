"""The options that commands about traces share: where they are, and which."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nilometer.cli.asking import SERVER
from nilometer.cli.duration import DurationType
from nilometer.cli.link import with_access
from nilometer.cli.moment import Moment
from nilometer.core.traces.query import FOREVER, TraceQuery
from nilometer.core.traces.span import NANO

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., object]")
VARIABLE = "NILOMETER_TRACES"
WHERE = f"A store of traces, a server (http://…) or a file; ${VARIABLE} otherwise, or else {SERVER}."


def with_place(function: F) -> F:
    """Give a command the flags that say where traces are, as `url` and `access`."""
    decorated: Any = with_access("", "the server", "access")(function)
    return click.option("--url", default=lambda: os.environ.get(VARIABLE, SERVER), metavar="URL", help=WHERE)(decorated)  # type: ignore[no-any-return]  # click's decorators return what they are given


def with_query(function: F) -> F:
    """Give a command the flags that say which traces, as `query`."""

    @functools.wraps(function)  # with it go the flags that it has already
    def call(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 click's own arguments pass through
        return function(*args, query=_query(kwargs), **kwargs)

    decorated: Any = call
    for decorate in (
        click.option("--until", type=Moment(), metavar="TIME", help="Begun until then, as --since."),
        click.option(
            "--since", type=Moment(), metavar="TIME", help="Begun from then on: 2h (ago), 2026-11-23, 2026-11-23T06:00Z."
        ),
        click.option("--longest", type=DurationType(), metavar="TIME", help="That took no longer."),
        click.option("--shortest", type=DurationType(), metavar="TIME", help="That took at least so long: 500ms, 2s."),
        click.option("--error/--no-error", default=None, help="With an error, or without."),
        click.option("--project", default="", metavar="NAME", help="Whose root is of this project."),
        click.option("--name", default="*", metavar="GLOB", help="With a span whose name fits."),
        click.option("--service", default="", metavar="NAME", help="With a span of this service."),
    ):
        decorated = decorate(decorated)
    return decorated  # type: ignore[no-any-return]  # as above


def _query(given: dict[str, Any]) -> TraceQuery:
    """Take out of what was given what says which traces."""
    since, until = given.pop("since"), given.pop("until")
    shortest, longest = given.pop("shortest"), given.pop("longest")
    return TraceQuery(
        given.pop("service"),
        given.pop("name"),
        given.pop("project"),
        given.pop("error"),
        int((shortest or 0) * NANO),
        FOREVER if longest is None else int(longest * NANO),
        -FOREVER if since is None else int(since * NANO),
        FOREVER if until is None else int(until * NANO),
    )
