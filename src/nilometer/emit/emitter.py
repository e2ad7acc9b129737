"""Where measurements go: what the rest of this room needs of a client."""

from __future__ import annotations

from typing import Any, Protocol


class Emitter(Protocol):
    """A `StatsD` client, or anything that has its `emit`."""

    def emit(self, kind: str, stat: str, value: float, rate: float = 1.0, tags: Any = ()) -> None:  # noqa: ANN401 Mapping or pairs
        """Send a line as it is: `kind` is a StatsD type such as ``c`` or ``ms``; the caller drew the sample."""
        ...
