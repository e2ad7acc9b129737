"""Contributions to a forge: in all, by user, by project.

A contribution is a message of the forge. The names, windows and rules for pagure.io are those of statscache_plugins: comments
that were edited count for no project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.statistics.kinds import Count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin

FORGES = {
    "pagure.io": "io.pagure.prod.",
    "src.fedoraproject.org": "org.fedoraproject.prod.pagure.",
    "github": "org.fedoraproject.prod.github.",
    "gitlab": "org.fedoraproject.prod.gitlab.",
}
"""What the topics of each forge begin with."""
DAYS = ("1d", "1w", "1mo")


class Contributions(Count):
    """Messages of one forge, whose topics are told when it is made."""


class ByUser(Contributions):
    """Messages of one forge, by user."""

    keys = ("user",)

    def key(self, message: Message) -> list[str]:
        """Return the users."""
        return list(message.users)


class ByProject(Contributions):
    """Messages of one forge, by project."""

    keys = ("project",)

    def key(self, message: Message) -> str | None:
        """Return the project, None for what counts for none."""
        return None if message.topic.endswith("issue.comment.edited") else project(message)


def project(message: Message) -> str | None:
    """Return the project that a message of a forge is about."""
    body = message.body
    if message.topic.endswith("git.receive"):
        found = _at(body, "repo", "name") or _at(body, "commit", "repo")
    else:
        found = _at(body, "pullrequest", "project", "name") or _at(body, "project", "name")
    found = found or _at(body, "repository", "full_name") or _at(body, "project", "path_with_namespace")
    return found if isinstance(found, str) else None


def _at(body: Mapping[str, object], *names: str) -> object:
    """Return what lies below names in a body, None where that is nothing."""
    found: object = body
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _of(forge: str, prefix: str) -> tuple[type[Plugin], ...]:
    """Return the plugins of one forge."""

    def made(base: type[Contributions], what: str, summary: str) -> type[Plugin]:
        about = {
            "name": f"number of contribution {what}to {forge}",
            "summary": f"{summary} {forge}",
            "description": f"How many messages tell of a contribution to {forge} {what}on each day, week and month.",
            "windows": DAYS,
            "topics": (prefix + "*",),
            "__module__": __name__,
            "__doc__": f"{base.__doc__}",
        }
        return type(f"{base.__name__}{forge.title().replace('.', '')}", (base,), about)

    return (
        made(Contributions, "", "contributions to"),
        made(ByUser, "per user ", "contributions of each user to"),
        made(ByProject, "per project ", "contributions to each project of"),
    )


PLUGINS: tuple[type[Plugin], ...] = tuple(plugin for forge, prefix in FORGES.items() for plugin in _of(forge, prefix))
