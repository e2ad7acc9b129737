"""statsd_exporter's mappings as rules: what each name becomes, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import SettingError
from nilometer.core.quantity import Duration, Expiry
from nilometer.core.settings import load
from nilometer.ingest import aggregate, mapping

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.ingest.kernel import Kernel

SIGNUPS = """
mappings:
- match: "test.dispatcher.*.*.*"
  name: "dispatcher_events_total"
  labels: {processor: "$1", action: "$2", outcome: "$3", job: "test_dispatcher"}
- match: "*.signup.*.*"
  name: "signup_events_total"
  labels: {provider: "$2", outcome: "$3", job: "${1}_server", code: 200, none: "$4"}
- match: 'test3\\.(\\w+)\\.(\\w+)'
  match_type: regex
  name: "${2}_$1"
- match: "^slow-(?P<what>.*)$"
  match_type: regex
  match_metric_type: observer
  name: "$1"
- match: "^gone"
  match_type: regex
  action: drop
  name: "gone"
"""


def keys(kernel: Kernel, tmp_path: Path, text: str, *lines: str) -> list[str]:
    """Return the keys that lines lead to."""
    file = tmp_path / "mapping.yml"
    file.write_text(text)
    kernel.configure(aggregate.rules(load(None, {}, {"rules.mapping": str(file)})))
    kernel.feed("\n".join(lines).encode())
    return [key for block in kernel.flush(1).blocks for key in block.keys()]  # noqa: SIM118 a block is no dict


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "test.dispatcher.Foo.send.ok:1|c",
            ["dispatcher_events_total;processor=Foo;action=send;outcome=ok;job=test_dispatcher"],
        ),
        ("web.signup.fb.no:1|c", ["signup_events_total;provider=fb;outcome=no;job=web_server;code=200"]),
        ("web.signup.fb.no.more:1|c", ["web.signup.fb.no.more"]),
        ("xtest3.a.b:1|c", ["b_a"]),
        ("gone.by:1|c", []),
        ("other:1|g", ["other"]),
    ],
)
def test_a_name_is_mapped(line: str, expected: list[str], kernel: Kernel, tmp_path: Path) -> None:
    assert keys(kernel, tmp_path, SIGNUPS, line) == expected


@pytest.mark.parametrize(("line", "expected"), [("slow-a-b:1|ms", ["a_b"]), ("slow-a-b:1|c", ["slow-a-b"])])
def test_names_are_prometheuss_and_types_are_kept_to(line: str, expected: list[str], kernel: Kernel, tmp_path: Path) -> None:
    assert keys(kernel, tmp_path, SIGNUPS, line) == expected


ORDER = """
defaults: {{glob_disable_ordering: {disabled}}}
mappings:
- {{match: ".+", match_type: regex, name: all}}
- {{match: "a.*.*", name: one}}
- {{match: "a.*.c", name: two}}
- {{match: "a.b.*", name: three}}
"""


@pytest.mark.parametrize(("disabled", "expected"), [("false", "one"), ("true", "three")])
def test_globs_go_first_and_may_be_ordered_by_detail(disabled: str, expected: str, kernel: Kernel, tmp_path: Path) -> None:
    assert keys(kernel, tmp_path, ORDER.format(disabled=disabled), "a.b.c:1|c") == [expected]


@pytest.mark.parametrize(("honor", "expected"), [("true", "m;env=own"), ("false", "m;env=theirs")])
def test_labels_may_give_way_to_tags(honor: str, expected: str, kernel: Kernel, tmp_path: Path) -> None:
    text = f"mappings: [{{match: a, name: m, honor_labels: {honor}, labels: {{env: theirs}}}}]"
    assert keys(kernel, tmp_path, text, "a:1|c|#env:own") == [expected]


def test_options_of_observers_become_figures() -> None:
    text = """
defaults: {ttl: 1m20s, histogram_options: {buckets: [0.1, 1]}, summary_options: {quantiles: [{quantile: 0.42, error: 0.1}]}}
mappings:
- {match: a, name: a, observer_type: histogram, scale: 0.001}
- {match: b, name: b}
- {match: c, name: c, timer_type: histogram, buckets: [2], ttl: 5s}
- {match: d, name: d, summary_options: {quantiles: [{quantile: 0.999}], max_age: 5m}, help: none}
"""
    a, b, c, d, rest = mapping.parse(text)
    assert (a.percentiles, a.histogram, a.scale, a.expire) == ((), (100.0, 1000.0), 0.001, Expiry(0, Duration(80)))
    assert (b.percentiles, b.histogram) == ((42,), ())
    assert (c.histogram, c.expire) == ((2000.0,), Expiry(0, Duration(5)))
    assert d.percentiles == (99.9,)
    assert rest.given() == {"expire": a.expire}


def test_what_has_no_effect_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    mapping.parse("mappings: [{match: a, name: a, help: x, summary_options: {max_age: 5m}}]", "m.yml")
    assert [record.getMessage() for record in caplog.records] == ["m.yml: without effect: help, max_age"]


def test_without_mappings_there_are_no_rules() -> None:
    assert mapping.parse("") == mapping.parse("mappings:\n") == mapping.parse("defaults: {}") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mappings: [{match: 'bad!!line.*', name: foo}]", "mapping 1: match = 'bad!!line.*': not a glob"),
        ("mappings: [{match: a, name: 0foo}]", "mapping 1: name = '0foo': not a name of Prometheus"),
        ("mappings: [{match: a}]", "mapping 1: name = '': it is missing"),
        ("mappings: [{match: a, name: b}, {match: a, name: b, observer_type: wrong}]", "mapping 2: observer_type = 'wrong'"),
        ("mappings: [{match: a, name: b, matc: c}]", "mapping 1: the mapping: unknown key 'matc'; did you mean 'match'?"),
        ("mappings: [{match: a, name: b, labels: {a-b: c}}]", "mapping 1: labels: 'a-b' is not the name of a label"),
        ("mappings: [{match: '(', match_type: regex, name: b}]", "mapping 1: '(' at character 2"),
        ("mappings: [{match: a, name: b, ttl: 5 apples}]", "mapping 1: ttl = '5 apples'"),
        ("mappings: [{match: a, name: b, scale: x}]", "mapping 1: scale = 'x': expected a number"),
        ("mappings: [{match: a, name: b, action: drip}]", "mapping 1: action = 'drip': expected map or drop"),
        ("mappings: [{match: a, name: b, observer_type: summary, histogram_options: {buckets: [1]}}]", "cannot stand with"),
        ("mappings: {}x", "not YAML"),
        ("mappings:\n- match: *.test.*\n  name: a", "not YAML"),
        ("mapings: []", "the file: unknown key 'mapings'; did you mean 'mappings'?"),
        ("mappings: {a: b}", "mappings: expected a list"),
        ("mappings: [a]", "mapping 1: the mapping: expected a table"),
    ],
)
def test_a_mistake_is_named(text: str, reason: str) -> None:
    with pytest.raises(SettingError) as caught:
        mapping.parse(text)
    assert reason in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"rules\.mapping: .*none\.yml: cannot be read: No such file"):
        mapping.load(tmp_path / "none.yml")
    (tmp_path / "large.yml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(SettingError, match="larger than 1048576 bytes"):
        mapping.load(tmp_path / "large.yml")
