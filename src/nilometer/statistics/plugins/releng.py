"""What release engineering did last: composes, updates synced out, images uploaded and tested, artifacts built.

A row for each category and constraint, whose message is JSON: ``name``, ``status`` and, where there is more to say, ``link``,
``extra_text`` and ``extra_link``. Categories, constraints, messages and the layout are those of statscache_plugins.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.statistics.kinds import LatestByKey
from nilometer.statistics.plugins.releng_layout import LAYOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin

PROD = r"org\.fedoraproject\.prod\."
COMPOSE = re.compile(
    PROD + r"compose\.(?P<branch>rawhide|branched)(?:\.(?P<part>mash|pungify|rsync))?\.(?P<status>start|complete)\Z"
)
UPDATES = re.compile(PROD + r"bodhi\.updates\.(?P<distribution>fedora|epel)\.sync\Z")
IMAGES = re.compile(PROD + r"fedimg\.image\.(?:upload|test)\Z")
REGION = re.compile(r"\((?P<region>[^()]+)\)\Z")
MASHER, ARTIFACTS = "masher", ("appliance", "livecd")
CONSOLE = "https://redirect.fedoraproject.org/console.aws.amazon.com/ec2/v2/home"
NAMED = 4
"""Words of an image's name, of which the fourth is the version: ``Fedora-Cloud-Base-rawhide-20140604``."""


class Entry(NamedTuple):
    """One line of the log: where it stands, and what it says."""

    category: str
    constraint: str
    said: dict[str, Any]


def compose(message: Message) -> Entry | None:
    """Return the entry of a compose that began or was completed."""
    found = COMPOSE.match(message.topic)
    if found is None:
        return None
    name = found["part"] or found["branch"]
    category = f"compose-{found['branch']}_{_word(message, 'arch') or 'primary'}"
    return Entry(category, name, {"name": name.title(), "status": found["status"]})


def updates(message: Message) -> Entry | None:
    """Return the entry of a repository that was synced out."""
    found, release, repository = UPDATES.match(message.topic), _word(message, "release"), _word(message, "repo")
    if found is None or not release or not repository:
        return None
    name = f"{release}-{repository}"
    return Entry(f"updates-{found['distribution']}", name, {"name": name, "status": "synced out"})


def images(message: Message) -> Entry | None:
    """Return the entry of an image that was uploaded, or tested."""
    name, destination = _word(message, "image_name"), _word(message, "destination")
    if not IMAGES.match(message.topic) or message.body.get("status") != "completed" or not name:
        return None
    words, region = name.partition(".")[0].lower().split("-"), REGION.search(destination)
    branch = "rawhide" if len(words) >= NAMED and words[NAMED - 1] == "rawhide" else "branched"
    said = {"name": name, "extra_text": destination, "status": "completed"}
    extra = message.body.get("extra")
    if isinstance(extra, dict) and isinstance(extra.get("id"), str):
        said["extra_link"] = f"{CONSOLE}?region={destination}#LaunchInstanceWizard:ami={extra['id']}"
    return Entry(f"ami-{branch}", f"{name}-{region['region'] if region else destination}", said)


def artifacts(message: Message) -> Entry | None:
    """Return the entry of an appliance or a live image that is built."""
    kind, source = _word(message, "method"), _word(message, "srpm")
    if _word(message, "owner") != MASHER or kind not in ARTIFACTS or not source:
        return None
    name = source
    info = message.body.get("info")
    request = info.get("request") if isinstance(info, dict) else None
    if isinstance(request, list) and len(request) > 1:
        options = request[-1] if isinstance(request[-1], dict) else {}
        kinds = (options.get("format"), "rawhide" if request[1] == "rawhide" else "branched")
        name = " ".join((source, *(f"({each})" for each in kinds if each)))
    architecture = source.rpartition("-")[2]
    return Entry(f"artifact-{kind}_{architecture}", name, {"name": name, "status": _word(message, "new")})


def _word(message: Message, name: str) -> str:
    found = message.body.get(name)
    return found if isinstance(found, str) else ""


SOURCES: tuple[Callable[[Message], Entry | None], ...] = (compose, updates, images, artifacts)


class EventLog(LatestByKey):
    """The newest event of each category and constraint."""

    name = "Release engineering event logs"
    summary = "what release engineering did last, by category"
    description = "The newest event of each compose, repository, image and artifact, for a dashboard of release engineering."
    keys = ("category", "category_constraint")
    layout = LAYOUT

    def entry(self, message: Message) -> Entry | None:
        """Return the entry that a message makes, None for none."""
        return next((entry for source in SOURCES if (entry := source(message)) is not None), None)

    def key(self, message: Message) -> tuple[str, str] | None:
        """Return category and constraint."""
        entry = self.entry(message)
        return None if entry is None else (entry.category, entry.constraint)

    def text(self, message: Message) -> str:
        """Return what the entry says, as JSON."""
        entry = self.entry(message)
        return "" if entry is None else json.dumps(entry.said)


PLUGINS: tuple[type[Plugin], ...] = (EventLog,)
