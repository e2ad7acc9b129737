"""Rules in the settings file: each mistake is named with the rule's number and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import SettingError
from nilometer.core.quantity import Expiry, expiry, written
from nilometer.core.rules import RuleTable
from nilometer.core.settings import Settings, load, to_toml

if TYPE_CHECKING:
    from pathlib import Path


def read(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "n.toml"
    file.write_text(text)
    return load(file, {})


def test_tables_are_rules_in_order(tmp_path: Path) -> None:
    settings = read(tmp_path, '[[rules]]\nprefix = "a"\naction = "drop"\n\n[[rules]]\nmatch = "b.*"\nexpire = "1h"\n')
    assert settings.rules.list == (RuleTable(prefix="a", action="drop"), RuleTable(match="b.*", expire=expiry("1h")))
    assert settings.origin("rules.list").endswith("n.toml:1")
    assert read(tmp_path, to_toml(settings).replace("nilometer/nilometer", "n")).rules == settings.rules


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('mach = "a"', "unknown key 'mach'; did you mean 'match'?"),
        ('match = "a"\nregex = "b"', "match and regex cannot stand together"),
        ('regex = "("', "regex: '(' at character 2: a ')' is missing"),
        ('match = "a.*"\nrename = "b.$2"', "rename: '$2' is no group of the pattern: it has $0, $1"),
        ('match = "a.*"\ntags = ["x:$9"]', "tags: '$9' is no group"),
        ("tags = ['x;y:1']", "tags = 'x;y:1': expected a tag such as env:prod"),
        ('action = "dorp"', "action = 'dorp': expected one of map, drop, keep; did you mean 'drop'?"),
        ('type = "count"', "type = 'count': expected one of"),
        ("sample = 0", "sample = 0: expected at least 1e-09 and at most 1.0"),
        ("flush_every = 0", "flush_every = 0: expected at least 1"),
        ("percentiles = 90", "percentiles = 90: expected a list"),
        ("histogram = [2, 1]", "histogram: the bounds must grow"),
        ('expire = "soon"', 'expire = \'soon\': expected a number of flushes, a duration such as "10m", or "never"'),
        ('rename = "a;b"', "rename = 'a;b': expected a name without ;"),
    ],
)
def test_a_mistake_is_named_with_the_rules_number(rule: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        read(tmp_path, f'[[rules]]\nprefix = "a"\n\n[[rules]]\n{rule}\n')
    assert str(caught.value).startswith(f"{tmp_path}/n.toml:4: rules.list: rule 2: {reason}")


def test_static_tags_have_a_value(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"names\.tags = 'prod': expected a tag such as env:prod"):
        read(tmp_path, '[names]\ntags = ["prod"]')


@pytest.mark.parametrize("text", ["never", "3", "10m", "500ms"])
def test_an_expiry_reads_back(text: str) -> None:
    assert written(expiry(text)) == text


def test_a_duration_is_rounded_up_to_flushes() -> None:
    assert [expiry(text).within(10) for text in ("never", "3", "1s", "30s", "31s")] == [0, 3, 1, 3, 4]
    assert Expiry().within(10) == 0


@pytest.mark.parametrize("text", ["0", "0s", "-1", "x"])
def test_an_expiry_is_above_zero(text: str) -> None:
    with pytest.raises(SettingError):
        expiry(text)
