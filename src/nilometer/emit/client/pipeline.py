"""A pipeline: lines that go out together, when they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from nilometer.emit.client.methods import Methods

if TYPE_CHECKING:
    from nilometer.emit.client.line import Tags


class Pipeline(Methods):
    """Has a client's methods; `send`, or the end of its ``with``, hands everything to the client, in its order."""

    def __init__(self, client: Methods) -> None:
        self._client = client
        self._calls: list[tuple[str, tuple[Any, ...]]] = []

    def emit(self, kind: str, stat: str, value: object, rate: float = 1.0, tags: Tags = ()) -> None:
        """Keep a value until it is sent."""
        self._calls.append(("emit", (kind, stat, value, rate, tags)))

    def change(self, stat: str, value: float, rate: float = 1.0, tags: Tags = ()) -> None:
        """Keep a gauge's change until it is sent."""
        self._calls.append(("change", (stat, value, rate, tags)))

    def pipeline(self) -> Pipeline:
        """Return a pipeline into this one."""
        return Pipeline(self)

    def send(self) -> None:
        """Hand everything over; again, what came since."""
        calls, self._calls = self._calls, []
        for name, arguments in calls:
            getattr(self._client, name)(*arguments)
        flush = getattr(self._client, "flush", None)
        if flush is not None:
            flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.send()
