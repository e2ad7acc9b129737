"""The server's relay: made of the settings; made anew when a reload asks for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.ingest.relay.targets import targets

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.core.settings import Settings
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.relay.relay import Forwarding, Relay, TargetStatus


def forwarding(settings: Settings) -> Forwarding | None:
    """Return what is to be forwarded; None for nothing. Raise `UrlError` for a target that cannot be."""
    from nilometer.ingest.relay.relay import Forwarding  # noqa: PLC0415 only a server needs it

    relay = settings.relay
    found = targets(relay.to)
    return Forwarding(found, relay.mode == "ring", relay.check_interval, relay.queue) if found else None


class Relaying:
    """A relay or none."""

    def __init__(self, kernel: Kernel, losses: Losses) -> None:
        self._kernel, self._losses = kernel, losses
        self._wanted: Forwarding | None = None
        self._relay: Relay | None = None

    def change(self, wanted: Forwarding | None, seconds: float) -> None:
        """Forward as wanted from now on; the relay before may take some seconds to empty its queues."""
        if wanted == self._wanted:
            return
        old, self._relay = self._relay, None
        self._wanted = wanted
        if wanted is not None:
            from nilometer.ingest.relay.relay import Relay  # noqa: PLC0415 only who forwards needs it

            self._relay = Relay(wanted, self._kernel, self._losses)
        if old is not None:
            old.close(seconds)

    def tend(self) -> None:
        """Count and tell of what was lost. Call it a few times a second."""
        if self._relay is not None:
            self._relay.tend()

    def statuses(self) -> list[TargetStatus]:
        """Return how each target fares."""
        return self._relay.statuses() if self._relay is not None else []

    def close(self, seconds: float) -> None:
        """Forward what waits, for at most about `seconds`."""
        self.change(None, seconds)
