"""What `nilometer statistics new` writes: an example for each kind of plugin.

Rules: an example is valid Python, laid out as ruff does; its messages and rows are those of its test.
"""

from __future__ import annotations

from typing import NamedTuple

WINDOWS = """\
    windows = ("1m", "1d")"""
MESSAGES = """\
    Message("1", START + 1, f"{TOPIC}.new", {"amount": 5}, {"users": ["ann"]}),
    Message("2", START + 2, f"{TOPIC}.new", {"amount": 2.5}, {"users": ["ann", "bob"]}),
    Message("3", START + DAY, f"{TOPIC}.done", {"amount": 1}, {"users": ["bob"]}),"""


class Example(NamedTuple):
    """The parts of a plugin, and of its test."""

    summary: str
    description: str
    base: str
    doc: str
    imports: str
    typing: str
    attributes: str
    methods: str
    expected: str
    messages: str = MESSAGES
    window: str = "-1d"


def _kind(base: str) -> str:
    return f"from nilometer.statistics.kinds import {base}"


MESSAGE = """\
    from nilometer.core.statistics import Message
"""
WITH_ITERABLE = """\
    from collections.abc import Iterable

    from nilometer.core.statistics import Message
"""

COUNT = Example(
    summary="messages by topic",
    description="How many messages there were of each topic.",
    base="Count",
    doc="Messages, by topic.",
    imports=_kind("Count"),
    typing=MESSAGE,
    attributes=f"""\
{WINDOWS}
    keys = ("topic",)""",
    methods='''\
    def wants(self, message: Message) -> bool:
        """Say whether a message counts at all."""
        return not message.topic.startswith("test.")

    def key(self, message: Message) -> str | None:
        """Return what a message counts under; None for nothing, a list for several."""
        return message.topic''',
    expected="""\
        {"timestamp": START + 2 * DAY, "topic": f"{TOPIC}.done", "volume": 1},
        {"timestamp": START + DAY, "topic": f"{TOPIC}.new", "volume": 2},""",
)
TOP = Example(
    summary="the users with the most messages",
    description="How many messages were about each user, those with the most first.",
    base="Top",
    doc="Users, those with the most messages first.",
    imports=_kind("Top"),
    typing=MESSAGE,
    attributes=f"""\
{WINDOWS}
    keys = ("user",)
    top = 10""",
    methods='''\
    def key(self, message: Message) -> list[str]:
        """Return whom a message is about; it counts once for each."""
        return list(message.users)''',
    expected="""\
        {"timestamp": START + 2 * DAY, "user": "bob", "volume": 1},
        {"timestamp": START + DAY, "user": "bob", "volume": 1},
        {"timestamp": START + DAY, "user": "ann", "volume": 2},""",
)
SUM = Example(
    summary="amounts by topic",
    description="The amounts in the bodies of messages, added up by topic.",
    base="Sum",
    doc="Amounts, by topic.",
    imports=_kind("Sum"),
    typing=MESSAGE,
    attributes=f"""\
{WINDOWS}
    keys = ("topic",)
    value = "amount\"""",
    methods='''\
    def key(self, message: Message) -> str | None:
        """Return what a message counts under; None for nothing, a list for several."""
        return message.topic

    def amount(self, message: Message) -> float | None:
        """Return what a message adds, None for nothing. A body may hold anything."""
        found = message.body.get("amount")
        return found if isinstance(found, int | float) else None''',
    expected="""\
        {"timestamp": START + 2 * DAY, "topic": f"{TOPIC}.done", "amount": 1},
        {"timestamp": START + DAY, "topic": f"{TOPIC}.new", "amount": 7.5},""",
)
DISTINCT = Example(
    summary="different users by topic",
    description="How many different users the messages of each topic were about.",
    base="Distinct",
    doc="Different users, by topic.",
    imports=_kind("Distinct"),
    typing=WITH_ITERABLE,
    attributes=f"""\
{WINDOWS}
    keys = ("topic",)
    value = "users\"""",
    methods='''\
    def key(self, message: Message) -> str | None:
        """Return what a message counts under; None for nothing, a list for several."""
        return message.topic

    def members(self, message: Message) -> Iterable[str]:
        """Return who, or what, is counted."""
        return message.users''',
    expected="""\
        {"timestamp": START + 2 * DAY, "topic": f"{TOPIC}.done", "users": 1},
        {"timestamp": START + DAY, "topic": f"{TOPIC}.new", "users": 2},""",
)
DISTRIBUTION = Example(
    summary="seconds that something took",
    description="How the seconds in the bodies of messages are distributed.",
    base="Distribution",
    doc="Seconds that something took.",
    imports=_kind("Distribution"),
    typing=WITH_ITERABLE,
    attributes=WINDOWS,
    methods='''\
    def values(self, message: Message) -> Iterable[float]:
        """Return the numbers of a message. A body may hold anything."""
        found = message.body.get("seconds")
        return [found] if isinstance(found, int | float) else []''',
    messages="""\
    Message("1", START + 1, TOPIC, {"seconds": 1}),
    Message("2", START + 2, TOPIC, {"seconds": 1}),
    Message("3", START + 3, TOPIC, {"seconds": "fast"}),""",
    expected="""\
        {
            "timestamp": START + DAY,
            "count": 2,
            "mean": 1.0,
            "lower": 1.0,
            "upper": 1.0,
            "p50": 1.0,
            "p90": 1.0,
            "p95": 1.0,
            "p99": 1.0,
        },""",
)
LATEST = Example(
    summary="the latest topic of each user",
    description="The topic of the newest message about each user.",
    base="LatestByKey",
    doc="The newest message about each user.",
    imports=_kind("LatestByKey"),
    typing=MESSAGE,
    attributes='''\
    keys = ("user",)
    value = "topic"''',
    methods='''\
    def key(self, message: Message) -> list[str]:
        """Return whom a message is about."""
        return list(message.users)

    def text(self, message: Message) -> str:
        """Return what is kept of the newest one."""
        return message.topic''',
    expected="""\
        {"timestamp": START + DAY, "user": "bob", "topic": f"{TOPIC}.done"},
        {"timestamp": START + 2, "user": "ann", "topic": f"{TOPIC}.new"},""",
    window="",
)
CLASS = Example(
    summary="messages by user, in hundreds",
    description="How many hundreds of messages were about each user.",
    base="Plugin",
    doc="Messages by user, with changes and rows made by hand.",
    imports="""\
from nilometer.core.statistics import Add
from nilometer.statistics.plugin import Plugin""",
    typing="""\
    from collections.abc import Iterable, Mapping

    from nilometer.core.statistics import Message, Row
    from nilometer.statistics.plugin import Cell
""",
    attributes=f"""\
{WINDOWS}
    keys = ("user",)""",
    methods='''\
    def process(self, message: Message) -> Iterable[Add]:
        """Return what a message changes. No clock, no network, no state here."""
        for user in message.users:
            yield Add(message.time, (user,), amount=1)

    def rows(self, rows: Iterable[Row]) -> Iterable[Mapping[str, Cell]]:
        """Return the objects that are served, made of the rows that are stored."""
        for row in rows:
            (user,) = row.key
            yield {"timestamp": row.time, "user": user, "hundreds": row.value / 100}''',
    expected="""\
        {"timestamp": START + 2 * DAY, "user": "bob", "hundreds": 0.01},
        {"timestamp": START + DAY, "user": "bob", "hundreds": 0.01},
        {"timestamp": START + DAY, "user": "ann", "hundreds": 0.02},""",
)

EXAMPLES: dict[str, Example] = {
    "count": COUNT,
    "top": TOP,
    "sum": SUM,
    "distinct": DISTINCT,
    "distribution": DISTRIBUTION,
    "latest": LATEST,
    "class": CLASS,
}
"""The kinds of plugins that can be written, by what one calls them on the command line."""
