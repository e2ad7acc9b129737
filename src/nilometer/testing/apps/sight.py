"""What each server lets an application see of its clients: the exceptions of the tests, and the table of the documentation."""

from __future__ import annotations

from nilometer.testing.apps.kinds import KINDS

SIGHTS = ("slow upload", "chunked upload", "upload ended early", "upload reset", "download cut off")
"""What a server may let an application see, in the order of the table."""
BLIND: dict[str, dict[str, str]] = {
    "uWSGI": {"chunked upload": "the body reads as empty"},
    "waitress": {
        "slow upload": "read before the application is called",
        "upload ended early": "the application is never called",
        "upload reset": "the application is never called",
    },
}
"""By server: what it does not let see, and what happens instead."""


def sees(server: str, sight: str) -> bool:
    """Tell whether the server lets an application see that."""
    assert server in KINDS, server  # noqa: S101 a test asks
    assert sight in SIGHTS, sight  # noqa: S101 a test asks
    return sight not in BLIND.get(server, {})


def table() -> list[str]:
    """Return the rows of the documentation's table, the columns `SIGHTS`."""
    return [
        "| " + " | ".join([server, *(BLIND.get(server, {}).get(sight, "yes") for sight in SIGHTS)]) + " |" for server in KINDS
    ]
