"""An activity: an event when it begins, and one when it ends, or fails.

    table.create.start   then   table.create.end   or   table.create.error, whose payload says in `message` why
    data.putitem when it is done, or data.putitem.error: a short one has one event

Rules: the work is never hurt: what it raises goes on unchanged. Payload and context of the end are those of the beginning, with
what `update` added.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from nilometer.emit.wrapping import Wrapping, failed, message

if TYPE_CHECKING:
    from types import TracebackType

    from nilometer.emit.notifier.notifier import Notifier

START, END, ERROR = "start", "end", "error"


class Subject(NamedTuple):
    """What an activity is about, as it was given."""

    name: str
    payload: object
    short: bool
    priority: str | None
    tenant: str
    user: str
    context: object


class Activity(Wrapping):
    """One run of an activity: a context manager, or a decorator over functions, coroutines and generators of both kinds."""

    def __init__(self, notifier: Notifier, subject: Subject) -> None:
        self._notifier, self._subject = notifier, subject
        self._fields: dict[str, Any] = {}
        self._failed = ""
        self._began = 0.0

    def update(self, **fields: object) -> None:
        """Add to the payload of the event that ends it, or change it."""
        self._fields.update(fields)

    def fail(self, message: str = "failed") -> None:
        """Tell that the activity failed though nothing is raised."""
        self._failed = message or "failed"

    def __enter__(self) -> Self:
        self._fields, self._failed = {}, ""
        if not self._subject.short:
            self._emit(f"{self._subject.name}.{START}")
        self._began = perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        seconds = perf_counter() - self._began
        if failed(error):
            self._failed = message(error)
        name = self._subject.name
        if self._failed:
            self._fields["message"] = self._failed
            self._emit(f"{name}.{ERROR}", ERROR)
        else:
            self._emit(name if self._subject.short else f"{name}.{END}")
        self._notifier.took(name, seconds, error=bool(self._failed))

    def _again(self) -> Activity:
        return Activity(self._notifier, self._subject)

    def _emit(self, name: str, priority: str | None = None) -> None:
        subject = self._subject
        self._notifier.emit(
            name,
            subject.payload,
            priority=priority or subject.priority,
            tenant=subject.tenant,
            user=subject.user,
            context=subject.context,
            more=self._fields,
        )
