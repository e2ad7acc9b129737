"""Our answers to Graphite's clients are graphite-web's, to the digit: series, values, nulls, names, tags, nodes.

docs/reference/graphite-api.md lists where they differ.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.query import answers, browse
from nilometer.query.functions import TABLE
from nilometer.testing import graphite_web
from nilometer.testing.graphite_targets import TARGETS, random_targets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nilometer.testing.graphite_web import Both

MANY, SEED = 400, 1
"""Random targets that are asked."""
NOT_OURS = {"events", "randomWalk", "randomWalkFunction"}
OWN_FOLDERS = ("_tagged", "carbon")
OPTIONS = (
    *({"maxDataPoints": str(most)} for most in (1, 2, 7, 10, 50, 119, 120, 121, 1000)),
    {"noNullPoints": "1"},
    {"xFilesFactor": "0.5", "maxDataPoints": "10"},
    {"xFilesFactor": "0.8"},
    {"pretty": "1"},
)
SHOWN = (
    *("web.*.cpu.user", "sumSeries(web.*.errors.count)", "slow.*.size", "group(slow.*.size,web.*.errors.count)"),
    *("consolidateBy(web.*.errors.count,'sum')", "consolidateBy(sparse.rare,'first')", "consolidateBy(sparse.*,'avg_zero')"),
    *("cumulative(sparse.*)", "summarize(web.*.errors.count,'1min')", "constantLine(5)", "empty.before", "nothing", "flat.*"),
    *("movingAverage(sparse.*,5)", "setXFilesFactor(sparse.*,0.4)", "changed(web.one.cpu.user)"),
)
RANGES = (
    *(("-10min", "now"), ("-1h", "-5min"), ("+60", "+120"), ("+120", "+60"), ("+1", "+2"), ("+5", "+15"), ("+10", "+10")),
    *(("now-20min", "now-1s"), ("-30s", "now"), ("+0", "+90000"), ("+3000", "+4000"), ("midnight", "now"), ("noon", "teatime")),
    *(("-1m", "now"), ("soon", "now"), ("00:00", "12:00")),
)
PATTERNS = (
    *("[bosw]*", "web.*", "web.one.*", "web.{one,two}.c*", "[t-z]*.*", "{web,db}.*.*", "nothing", "web.one.cpu.user", "w?b.*"),
    *(
        "web.[ot]*.cpu",
        "web.**",
        "**.user",
        "both",
        "both*",
        "odd.*",
        "disk*",
        "disk.used;dc=east;host=a",
        "web.t*.{cpu,load}.*",
    ),
    *("slow", "{both,flat}.**"),
)
"""Without what a Graphite has in the tree besides series: folders of hashes for tagged series, carbon's own series."""
EXPRESSIONS: tuple[list[str], ...] = (
    *(["dc=east"], ["name=disk.used", "host!=a"], ["dc=~w.*"], ["dc!=east"], ["dc"], [], ["name=~web.*cpu.*"]),
    *(["host=", "dc=east"], ["host!=~a|c", "name=~disk"], ["dc=~("]),
)
Pairs = list[tuple[str, str]]


def asked(both: Both, target: str, **options: str) -> Pairs:
    """Return a request for 20 minutes of series, not cached."""
    usual = {"from": str(both.base + 3), "until": str(both.base + 1203), "now": str(both.base + 2400), "format": "json"}
    return [("target", target), *(usual | {"noCache": "true"} | options).items()]


def difference(both: Both, pairs: Pairs) -> str:
    """Return how the answers differ, nothing when they do not."""
    theirs, ours = both.theirs("/render", pairs), answers.render(both.store, pairs)
    if ours != answers.render(both.shelf, pairs):
        return "the store's series and the shelf's are not alike"
    if theirs.status >= 400 or ours.status >= 400:
        return "" if theirs.status >= 400 and ours.status == 400 else f"{theirs.status} and {ours.status}: {ours.body[:200]!r}"
    if theirs.body == ours.body.decode():
        return ""
    found, wanted = json.loads(ours.body), json.loads(theirs.body)
    if [each["target"] for each in found] != [each["target"] for each in wanted]:
        return f"wanted {[each['target'] for each in wanted]}, found {[each['target'] for each in found]}"
    return "; ".join(filter(None, map(_first, wanted, found)))


def _first(wanted: dict[str, Any], found: dict[str, Any]) -> str:
    pairs = zip(wanted["datapoints"], found["datapoints"], strict=False)
    first = next((f"wanted {want}, found {have}" for want, have in pairs if want != have), "")
    sizes = len(wanted["datapoints"]), len(found["datapoints"])
    if first or sizes[0] != sizes[1]:
        return f"{wanted['target']}: {sizes[0]} and {sizes[1]} points; {first}"
    return "" if wanted["tags"] == found["tags"] else f"tags {wanted['tags']} and {found['tags']}"


def differences(both: Both, requests: Iterable[Pairs]) -> dict[str, str]:
    """Return how answers differ, by request."""
    return {str(pairs): told for pairs in requests if (told := difference(both, pairs))}


def check_each_function(both: Both) -> None:
    assert differences(both, (asked(both, target) for target in TARGETS)) == {}


def check_how_much_is_shown(both: Both) -> None:
    assert differences(both, (asked(both, target, **options) for target in SHOWN for options in OPTIONS)) == {}


def check_ranges(both: Both) -> None:
    def at(text: str) -> str:
        return str(both.base + int(text)) if text[1:].isdigit() else text

    targets = (
        "web.one.*.count",
        "slow.*.size",
        "movingAverage(web.one.requests.count,'5min')",
        "timeShift(slow.p.size,'10min')",
    )
    requests = (
        asked(both, target, **{"from": at(start), "until": at(end), "now": str(both.base + 1803), "tz": zone})
        for target in targets
        for start, end in RANGES
        for zone in ("UTC", "America/New_York")
    )
    assert differences(both, requests) == {}


def check_text(both: Both) -> None:
    for target, kind, zone in itertools.product(SHOWN, ("raw", "csv"), ("UTC", "Europe/Rome")):
        pairs = asked(both, target, format=kind, tz=zone)
        answer = answers.render(both.shelf, pairs)
        assert (answer.status, answer.body.decode()) == both.theirs("/render", pairs)


def check_what_chart_libraries_take(both: Both) -> None:
    targets = ("web.*.cpu.user", "sparse.*", "nothing", "summarize(web.*.errors.count,'1min')")
    for target, kind in itertools.product(targets, ("dygraph", "rickshaw")):
        pairs = asked(both, target, format=kind)
        assert json.loads(answers.render(both.shelf, pairs).body) == json.loads(both.theirs("/render", pairs).body)


def ordered(nodes: Iterable[dict[str, Any]]) -> list[str]:
    """Return nodes in an order of their own, those of a Graphite's own folders left out, and what only files have."""
    told = ({key: value for key, value in node.items() if key != "intervals"} for node in nodes)
    return sorted(json.dumps(node, sort_keys=True) for node in told)


def check_nodes(both: Both) -> None:
    for pattern, kind, option in itertools.product(PATTERNS, browse.FORMATS, ("", "wildcards", "leavesOnly")):
        pairs = [("query", pattern), ("format", kind), *([(option, "1")] if option else [])]
        ours = answers.find(both.store, pairs)
        assert ours == answers.find(both.shelf, pairs)
        found, wanted = json.loads(ours.body), json.loads(both.theirs("/metrics/find", pairs).body)
        if kind in ("treejson", "json"):
            found, wanted = ordered(found), ordered(wanted)
        elif kind == "completer":
            found, wanted = ordered(found["metrics"]), ordered(wanted["metrics"])
        assert found == wanted, pairs


def check_expanded_patterns(both: Both) -> None:
    for pattern in ("web.*", "w*.{one,two}.*.count", "both*", "nothing", "db.a1*.latency"):
        for option in ("", "leavesOnly", "groupByExpr"):
            pairs = [("query", pattern), ("query", "flat.*"), *([(option, "1")] if option else [])]
            theirs = json.loads(both.theirs("/metrics/expand", pairs).body)
            assert json.loads(answers.expand(both.shelf, pairs).body) == theirs


def check_the_index(both: Both) -> None:
    theirs = [path for path in json.loads(both.theirs("/metrics/index.json", []).body) if not path.startswith(OWN_FOLDERS)]
    ours = json.loads(answers.index(both.shelf, []).body)
    assert [path for path in ours if ";" not in path] == theirs


def without_numbers(value: Any) -> Any:  # noqa: ANN401 JSON
    """Return what a tag database tells, without the numbers of its rows."""
    if isinstance(value, dict):
        return {key: without_numbers(each) for key, each in value.items() if key != "id"}
    return [without_numbers(each) for each in value] if isinstance(value, list) else value


def check_series_by_tag(both: Both) -> None:
    for expressions in EXPRESSIONS:
        pairs = [("expr", each) for each in expressions]
        ours, theirs = answers.find_series(both.shelf, pairs), both.theirs("/tags/findSeries", pairs)
        if theirs.status >= 400:
            assert ours.status == 400
        else:
            assert json.loads(ours.body) == json.loads(theirs.body)


def check_tags(both: Both) -> None:
    def same(path: str, ours: answers.Answer, pairs: Pairs) -> None:
        assert json.loads(ours.body) == without_numbers(json.loads(both.theirs(path, pairs).body)), (path, pairs)

    for pairs in ([], [("filter", "d")], [("limit", "2")]):
        same("/tags", answers.tags(both.shelf, pairs), pairs)
    for name, pairs in (("dc", []), ("nope", []), ("host", [("filter", "a")]), ("name", [("filter", "disk.f")])):
        same(f"/tags/{name}", answers.tag(both.shelf, name, pairs), pairs)
    for pairs in (
        [],
        [("tagPrefix", "d")],
        [("expr", "dc=east")],
        [("expr", "name=disk.used"), ("tagPrefix", "h")],
        [("limit", "1")],
    ):
        same("/tags/autoComplete/tags", answers.complete_tags(both.shelf, pairs), pairs)
    for pairs in ([], [("valuePrefix", "e")], [("expr", "dc=east")], [("limit", "1")]):
        for name in ("dc", "host", "name", "nope"):
            whole = [("tag", name), *pairs]
            same("/tags/autoComplete/values", answers.complete_values(both.shelf, whole), whole)


def check_functions_have_the_same_names_groups_and_parameters(both: Both) -> None:
    theirs = both.functions()
    ours = {name: {"group": each.group, "params": [param.told() for param in each.params]} for name, each in TABLE.items()}
    assert theirs.keys() - ours.keys() == NOT_OURS
    assert json.loads(json.dumps(ours)) == {name: told for name, told in theirs.items() if name not in NOT_OURS}


def functions_of_functions(both: Both) -> None:
    assert differences(both, (asked(both, target) for target in random_targets(SEED, MANY))) == {}


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_answers_are_those_of_graphite_web(tmp_path: Path) -> None:
    """All checks in one test: for several, several processes of tests would start a graphite-web each."""
    failures = []
    with graphite_web.both(tmp_path) as both:
        for check in (*CHECKS, functions_of_functions):
            try:
                check(both)
            except AssertionError as error:
                failures.append(f"{check}: {error}")
    assert len(CHECKS) == 11
    assert not failures, "\n\n".join(failures)
