"""A plugin to begin with, and its test, as text.

Rules:

* The plugin does something real with messages that are common on a bus, so that one changes it rather than writes it.
* Its test passes as it is: it says which rows come of three messages, and that neither their order nor batches matter.
* The name of the plugin makes that of the class and of the files: ``orders by shop``, `OrdersByShop`, ``orders_by_shop.py``.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from typing import NamedTuple

from nilometer.core.errors import ConfigError
from nilometer.statistics.authoring.examples import EXAMPLES
from nilometer.statistics.plugin import DELETED

LONGEST = 80
"""Characters of a plugin's name."""
PLUGIN = '''\
"""What this file counts, in a sentence.

Run it over recorded messages: nilometer statistics try {module}.py --messages FILE
Serve it: nilometer statistics serve --plugins all,./{module}.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

{imports}

if TYPE_CHECKING:
{typing}

class {cls}({base}):
    """{doc}"""

    name = {name}
    summary = {summary}
    description = {description}
{attributes}

{methods}
'''
TEST = '''\
"""Tests of {module}.py: which rows it makes of messages.

Run them: pytest test_{module}.py
"""

from __future__ import annotations

from pathlib import Path

from nilometer.core.statistics import Message
from nilometer.statistics.authoring import rows

FILE = Path(__file__).with_name("{module}.py")
TOPIC = "org.example.prod.shop.order"
START, DAY = 1767571200.0, 86400  # 2026-01-05T00:00:00Z, in seconds since the epoch
MESSAGES = [
{messages}
]


def test_rows_are_made_of_messages() -> None:
    assert rows(FILE, MESSAGES)[{ident}] == [
{expected}
    ]


def test_the_order_of_messages_does_not_matter() -> None:
    assert rows(FILE, MESSAGES[::-1]) == rows(FILE, MESSAGES)


def test_a_message_about_something_else_is_no_error() -> None:
    other = Message("4", START, "x", {{"amount": "?", "seconds": None}}, {{"users": "me"}})
    rows(FILE, [other])
'''


class Written(NamedTuple):
    """The names of two files, and what is in them."""

    plugin: str
    test: str
    plugin_text: str
    test_text: str


def written(name: str, kind: str) -> Written:
    """Return a plugin of this name and kind, one of `EXAMPLES`, and its test. Raise `ConfigError` for a name that cannot be."""
    name = " ".join(name.removesuffix(".py").replace("_", " ").split())
    module = module_of(name)
    example = EXAMPLES[kind]
    ident = DELETED.sub("", name.lower().replace(" ", "-")) + example.window
    plugin = PLUGIN.format(
        module=module,
        cls="".join(word[:1].upper() + word[1:] for word in module.split("_")),
        name=_quoted(name),
        summary=_quoted(example.summary),
        description=_quoted(example.description),
        **{part: getattr(example, part) for part in ("imports", "typing", "base", "doc", "attributes", "methods")},
    )
    test = TEST.format(module=module, ident=_quoted(ident), messages=example.messages, expected=example.expected)
    return Written(f"{module}.py", f"test_{module}.py", plugin, test)


def module_of(name: str) -> str:
    """Return the name of the module of a plugin. Raise `ConfigError` for a name that makes none."""
    if not name.isprintable() or "/" in name or len(name) > LONGEST:
        message = f"{name!r:.100} is no name for a plugin: it has up to {LONGEST} characters that print, and no slash"
        raise ConfigError(message)
    module = re.sub(r"\W+", "_", name.lower()).strip("_")
    if not module.isidentifier():
        message = f"{name!r:.100} is no name for a plugin: write words that begin with a letter, such as 'orders by shop'"
        raise ConfigError(message)
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module == "nilometer":
        message = f"{name!r:.100} would make {module}.py, which Python has already; add a word, such as '{module} by user'"
        raise ConfigError(message)
    return module


def _quoted(text: str) -> str:
    """Return a text as Python writes it."""
    return json.dumps(text, ensure_ascii=False)
