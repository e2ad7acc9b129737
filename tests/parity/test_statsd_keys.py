"""Every key that statsd's own examples explain is known here: it has an effect, or is named in a warning."""

from __future__ import annotations

import re

from nilometer.ingest.statsd import keys, proxy
from nilometer.testing.javascript import statsd_file

EXPLAINED = re.compile(r"^ {2,5}(\w+): ", re.MULTILINE)


def explained(name: str) -> set[str]:
    """Return the keys that the comment at the top of an example explains, wherever they stand."""
    comment, end, _ = statsd_file(name).read_text(encoding="utf-8").partition("*/")
    assert end
    return set(EXPLAINED.findall(comment))


def test_the_keys_of_the_server() -> None:
    found = explained("exampleConfig.js")
    assert len(found) > 45
    assert found - {key.name.rpartition(".")[2] for key in keys.KEYS} == set()
    assert [key.name for key in keys.KEYS if not key.effect and key.name in found] == []


def test_the_keys_of_the_cluster_proxy() -> None:
    found = explained("exampleProxyConfig.js")
    assert len(found) > 10
    assert found - {*proxy.READ, *proxy.NOTHING} == {"adminport"}  # a key of each node
